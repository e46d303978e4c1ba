"""The calls on one collection, by a client that is connected."""

from array import array
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pymilvus.exceptions import MilvusException

from adapters.milvus import filters
from adapters.milvus.connection import MilvusSession
from adapters.milvus.errors import COLLECTION_NOT_FOUND, COLLECTION_NOT_LOADED
from adapters.milvus.rows import OUTPUT_FIELDS, OWNER_FIELDS
from adapters.milvus.schema import search_parameters
from domain.errors import UnavailableError
from domain.search import SearchScope

MOST_HITS = 16_384  # a limit of the server's

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCollection:
    """A collection; `timeout_s` bounds each call. The errors are those of pymilvus."""

    session: MilvusSession
    name: str
    timeout_s: float

    async def answering(self, work: Callable[["OpenCollection"], Awaitable[T]]) -> T:
        """Do some work, after a restart of the server (nothing is loaded then) once more."""
        try:
            return await work(self)
        except MilvusException as error:
            if error.code == COLLECTION_NOT_FOUND:
                # 2.3 says so of every collection in a database that is missing, but not when asked which there are.
                await self.session.client.list_collections(timeout=self.timeout_s)
            if error.code != COLLECTION_NOT_LOADED:
                raise
            await self.session.client.load_collection(self.name, timeout=self.timeout_s)
            return await work(self)

    async def upsert(self, rows: list[dict[str, Any]]) -> None:
        """Write rows. Raises UnavailableError unless all of them are acknowledged."""
        answer = await self.session.client.upsert(self.name, rows, timeout=self.timeout_s)
        if answer["upsert_count"] != len(rows):
            raise UnavailableError("milvus", f"{answer['upsert_count']} of {len(rows)} rows were acknowledged")

    async def delete(self, expression: str) -> None:
        """Delete, and look whether it was done.

        The asynchronous client drops the status of a delete (pymilvus 3.0.2): one that the server refused
        looks like one that found nothing.
        """
        await self.session.client.delete(self.name, filter=expression, timeout=self.timeout_s)
        await self.seal()
        if await self.ids(expression, limit=1):
            raise UnavailableError("milvus", "a removal was not carried out, or rows came after it")

    async def ids(self, expression: str, *, limit: int | None = None) -> list[str]:
        """The chunk ids of the rows that an expression names, by a strongly consistent read."""
        found = await self.session.client.query(
            self.name,
            filter=expression,
            output_fields=["chunk_id"],
            consistency_level="Strong",
            limit=limit,
            timeout=self.timeout_s,
        )
        return [str(row["chunk_id"]) for row in found]

    async def vectors(self, chunk_ids: Sequence[str]) -> dict[str, bytes]:
        """The dense vectors of these rows, by a strongly consistent read."""
        found = await self.session.client.query(
            self.name,
            filter=filters.of_chunks(chunk_ids),
            output_fields=["chunk_id", "dense"],
            consistency_level="Strong",
            timeout=self.timeout_s,
        )
        return {str(row["chunk_id"]): array("f", row["dense"]).tobytes() for row in found}

    async def page_after(self, chunk_id: str, *, limit: int) -> list[dict[str, Any]]:
        """At most so many rows, those with the least ids after this one; none at the end alone.

        Asked for like pymilvus' own iterators, which its asynchronous client lacks: Milvus Lite puts a page in
        the order of the ids for them only. They are read at the collection's default consistency whatever one
        asks for (pymilvus 3.0, construct_guarantee_ts).
        """
        found = await self.session.client.query(
            self.name,
            filter=filters.after(chunk_id),
            output_fields=list(OWNER_FIELDS),
            limit=limit,
            iterator="True",
            reduce_stop_for_best="True",
            timeout=self.timeout_s,
        )
        ids = [str(row["chunk_id"]) for row in found]
        if ids != sorted(ids) or (ids and ids[0] <= chunk_id):
            raise UnavailableError("milvus", "its pages do not come in the order of the ids")
        return list(found)

    async def count(self) -> int:
        """How many rows there are, by a strongly consistent read."""
        (row,) = await self.session.client.query(
            self.name, output_fields=["count(*)"], consistency_level="Strong", timeout=self.timeout_s
        )
        return int(row["count(*)"])

    async def look(self) -> None:
        """A read that costs next to nothing."""
        await self.session.client.query(
            self.name,
            filter='chunk_id in [""]',
            output_fields=["chunk_id"],
            consistency_level="Eventually",
            timeout=self.timeout_s,
        )

    async def seal(self) -> None:
        """Milvus Lite searches what is not flushed row by row, ten times slower. Milvus seals by itself.

        Not after every call: each flush makes a segment, and a search visits them all.
        """
        if self.session.kind.is_lite:
            await self.session.client.flush(self.name, timeout=self.timeout_s)

    async def search(
        self, field: str, query: list[float] | str, scope: SearchScope, limit: int
    ) -> list[dict[str, Any]]:
        """The hits in a vector field, as pymilvus has them."""
        (hits,) = await self.session.client.search(
            self.name,
            data=[query],
            anns_field=field,
            filter=filters.within(scope),
            limit=min(limit, MOST_HITS),
            output_fields=list(OUTPUT_FIELDS),
            search_params=search_parameters(field, limit),
            consistency_level="Bounded",
            timeout=self.timeout_s,
        )
        return list(hits)
