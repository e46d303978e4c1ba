"""The vector index in Milvus 2.5 or later, Zilliz, or a Milvus Lite server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from adapters.milvus import filters
from adapters.milvus.collection import ChunkCollection
from adapters.milvus.connection import MilvusConnection, MilvusSession
from adapters.milvus.errors import COLLECTION_NOT_LOADED, translated_errors
from adapters.milvus.rows import OUTPUT_FIELDS, candidates, floats, rows
from adapters.milvus.texts import clipped_tokens
from domain.document import DocumentRef
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.embedder import EmbeddingModel
from domain.ports.vector_index import IndexEntry, VectorIndex
from domain.search import Candidate, SearchScope
from domain.vectors import Vectors

ROWS_PER_CALL = 250  # pymilvus packs rows on the event loop: 25 ms for so many of 512 dimensions
DOCUMENTS_PER_CALL = 64
MOST_HITS = 16_384  # a limit of the server's
PING_TIMEOUT_S = 2.0

T = TypeVar("T")


class MilvusVectorIndex(VectorIndex):
    """Rows of one collection, which belongs to the model it was made for (see ChunkCollection).

    Calls name the collection, not its alias: during a change of model each process goes on with the
    vectors it can compare, and the alias, moved by `prepare`, tells others which one is current.
    `timeout_s` bounds one call to the server, `search_timeout_s` a search. Nothing is connected before
    the first call; `aclose` ends the connection.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str = "",
        database: str = "",
        alias: str,
        model: EmbeddingModel,
        rendering_version: int,
        timeout_s: float = 10.0,
        search_timeout_s: float = 5.0,
    ) -> None:
        self._connection = MilvusConnection(uri, token=token, database=database)
        self._collection = ChunkCollection(alias=alias, model=model, rendering_version=rendering_version)
        self._timeout_s = timeout_s
        self._search_timeout_s = search_timeout_s

    async def prepare(self) -> None:
        """Create, check, load, point the alias.

        By the blocking client: the asynchronous one cannot make indexes on Milvus Lite (pymilvus issue 3711).
        """
        with translated_errors():
            await asyncio.to_thread(self._prepare)

    async def ping(self) -> None:
        """Return within 2 s if the collection is loaded and answers; raise UnavailableError if not."""

        async def look(session: MilvusSession, timeout_s: float) -> None:
            await session.client.query(
                self._collection.name,
                filter='chunk_id in [""]',
                output_fields=["chunk_id"],
                consistency_level="Eventually",
                timeout=timeout_s,
            )

        await self._call(look, timeout_s=min(PING_TIMEOUT_S, self._timeout_s))

    async def aclose(self) -> None:
        """Close the connection when the calls under way are done."""
        await self._connection.aclose()

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        """Calls of at most 250 rows. Raises ValueError unless there is one vector per entry."""
        if len(vectors) != len(entries):
            raise ValueError(f"{len(entries)} entries with {len(vectors)} vectors")
        self._check_dimension(vectors)
        for start in range(0, len(entries), ROWS_PER_CALL):
            await self._write(rows(entries[start : start + ROWS_PER_CALL], vectors, start=start))
        if entries:
            await self._call(self._flush_lite)

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        """The score is the cosine. By HNSW, so approximate; exact on Milvus Lite."""
        self._check_dimension(vector)
        if len(vector) != 1:
            raise ValueError(f"a search takes one vector, not {len(vector)}")
        found, _ = await self._search("dense", floats(vector, 0), scope, limit)
        return candidates(found, scope, sign=1, limit=limit)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        """BM25 over the tokens as they were indexed. The score is positive."""
        query = clipped_tokens(" ".join(tokens))
        if not query.strip():
            return []
        found, is_lite = await self._search("lexical", query, scope, limit)
        # Milvus Lite calls the negated score a distance.
        return candidates(found, scope, sign=-1 if is_lite else 1, limit=limit)

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """A strongly consistent read, without a limit.

        Not paged: an iterator's pages are read at the collection's default consistency whatever one asks
        for (pymilvus 3.0, construct_guarantee_ts), and the server's limit of 16,384 binds only those who
        name a limit. This read also carries every later search past these writes on each shard, which is
        why searches may do with bounded staleness once a document is marked as indexed.
        """
        found: set[str] = set()
        for expression in _by_documents(documents):
            read = partial(self._query_ids, expression=expression)
            found.update(await self._call(read))
        return frozenset(found)

    async def remove_documents(self, documents: Sequence[DocumentRef]) -> None:
        """Delete by filter, 64 documents a call."""
        for expression in _by_documents(documents):
            await self._delete(expression)

    async def remove_program(self, pgm_id: str) -> None:
        """Delete by filter."""
        await self._delete(filters.of_program(pgm_id))

    def _prepare(self) -> None:
        client = MilvusClient(**self._connection.arguments, timeout=self._timeout_s)
        try:
            self._collection.prepare(client, timeout_s=self._timeout_s)
        finally:
            client.close()

    async def _write(self, batch: list[dict[str, Any]]) -> None:
        async def upsert(session: MilvusSession, timeout_s: float) -> None:
            answer = await session.client.upsert(self._collection.name, batch, timeout=timeout_s)
            if answer["upsert_count"] != len(batch):
                raise UnavailableError("milvus", f"{answer['upsert_count']} of {len(batch)} rows were acknowledged")

        await self._call(upsert)

    async def _delete(self, expression: str) -> None:
        """Delete, and look whether it was done.

        The asynchronous client drops the status of a delete (pymilvus 3.0.2): one that the server refused
        looks like one that found nothing.
        """

        async def delete(session: MilvusSession, timeout_s: float) -> None:
            await session.client.delete(self._collection.name, filter=expression, timeout=timeout_s)
            await self._flush_lite(session, timeout_s)
            if await self._query_ids(session, timeout_s, expression=expression, limit=1):
                raise UnavailableError("milvus", "a removal was not carried out, or rows came after it")

        await self._call(delete)

    async def _query_ids(
        self, session: MilvusSession, timeout_s: float, *, expression: str, limit: int | None = None
    ) -> list[str]:
        found = await session.client.query(
            self._collection.name,
            filter=expression,
            output_fields=["chunk_id"],
            consistency_level="Strong",
            limit=limit,
            timeout=timeout_s,
        )
        return [str(row["chunk_id"]) for row in found]

    async def _flush_lite(self, session: MilvusSession, timeout_s: float) -> None:
        """Milvus Lite searches what is not flushed row by row, ten times slower. Milvus seals by itself.

        Not after every call: each flush makes a segment, and a search visits them all.
        """
        if session.is_lite:
            await session.client.flush(self._collection.name, timeout=timeout_s)

    async def _search(
        self, field: str, query: list[float] | str, scope: SearchScope, limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        async def search(session: MilvusSession, timeout_s: float) -> tuple[list[dict[str, Any]], bool]:
            (hits,) = await session.client.search(
                self._collection.name,
                data=[query],
                anns_field=field,
                filter=filters.within(scope),
                limit=min(limit, MOST_HITS),
                output_fields=list(OUTPUT_FIELDS),
                search_params=_search_parameters(field, limit),
                consistency_level="Bounded",
                timeout=timeout_s,
            )
            return list(hits), session.is_lite

        return await self._call(search, timeout_s=self._search_timeout_s)

    async def _call(self, work: Callable[[MilvusSession, float], Awaitable[T]], *, timeout_s: float | None = None) -> T:
        """Do some work, after a restart of the server (nothing is loaded then) once more."""
        timeout_s = timeout_s or self._timeout_s
        async with self._connection.session(timeout_s=timeout_s) as session:
            try:
                return await work(session, timeout_s)
            except MilvusException as error:
                if error.code != COLLECTION_NOT_LOADED:
                    raise
                await session.client.load_collection(self._collection.name, timeout=timeout_s)
                return await work(session, timeout_s)

    def _check_dimension(self, vectors: Vectors) -> None:
        if vectors.dimension != self._collection.model.dimension:
            raise MisconfiguredError(
                f"vectors of {vectors.dimension} dimensions for an index of {self._collection.model.dimension}"
            )


def _search_parameters(field: str, limit: int) -> dict[str, Any]:
    if field == "lexical":
        return {"metric_type": "BM25"}
    # The breadth of an HNSW search, at least the number of hits; Milvus Lite, without that index, ignores it.
    return {"metric_type": "COSINE", "params": {"ef": max(64, limit)}}


def _by_documents(documents: Sequence[DocumentRef]) -> Iterator[str]:
    for start in range(0, len(documents), DOCUMENTS_PER_CALL):
        yield filters.of_documents(documents[start : start + DOCUMENTS_PER_CALL])
