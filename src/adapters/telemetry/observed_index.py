"""The vector index as whoever looks on sees it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager

from adapters.telemetry.telemetry import Telemetry
from domain.document import DocumentRef
from domain.index_key import IndexKey
from domain.ports.vector_index import HeldDocument, IndexEntry, VectorIndex
from domain.search import Candidate, Lane, SearchScope
from domain.vectors import Vectors


class ObservedVectorIndex(VectorIndex):
    """Times and traces each call. Reading everything that is held takes as long as its reader: that is not timed."""

    def __init__(self, inner: VectorIndex, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    @property
    def key(self) -> IndexKey:
        """See the port."""
        return self._inner.key

    async def lanes(self) -> frozenset[Lane]:
        """See the port."""
        with self._call("lanes"):
            return await self._inner.lanes()

    async def prepare(self) -> None:
        """See the port."""
        with self._call("prepare"):
            await self._inner.prepare()

    async def publish(self) -> None:
        """See the port."""
        with self._call("publish"):
            await self._inner.publish()

    async def count(self) -> int | None:
        """See the port."""
        with self._call("count"):
            return await self._inner.count()

    async def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, bytes]:
        """See the port."""
        with self._call("vectors"):
            return await self._inner.vectors(chunk_ids)

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        """See the port."""
        with self._call("upsert"):
            await self._inner.upsert(entries, vectors)

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        """See the port."""
        with self._call("dense"):
            return await self._inner.dense(vector, scope, limit=limit)

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        """See the port."""
        with self._call("lexical"):
            return await self._inner.lexical(tokens, scope, limit=limit)

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """See the port."""
        with self._call("chunk_ids"):
            return await self._inner.chunk_ids(documents)

    def held_documents(self) -> AsyncIterator[HeldDocument]:
        """See the port."""
        return self._inner.held_documents()

    async def remove_documents(self, documents: Sequence[DocumentRef], *, everywhere: bool = True) -> None:
        """See the port."""
        with self._call("remove_documents"):
            await self._inner.remove_documents(documents, everywhere=everywhere)

    async def remove_former(self, documents: Sequence[DocumentRef]) -> None:
        """See the port."""
        with self._call("remove_former"):
            await self._inner.remove_former(documents)

    async def remove_program(self, pgm_id: str) -> None:
        """See the port."""
        with self._call("remove_program"):
            await self._inner.remove_program(pgm_id)

    async def drop_others(self) -> int:
        """See the port."""
        with self._call("drop_others"):
            return await self._inner.drop_others()

    def _call(self, operation: str) -> AbstractContextManager[None]:
        return self._telemetry.call(self._telemetry.metrics.milvus_seconds, "milvus", operation=operation)
