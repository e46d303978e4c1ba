"""IndexRegistry in memory. Transactions that overlap are told apart by `commit`, not by locks."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from domain.document import Document, DocumentRef
from domain.errors import UnavailableError
from domain.index_key import IndexKey
from domain.ports.index_registry import IndexRegistry, RecordedDocument, RegisteredIndex
from fakes.registry import InMemoryRegistry, StoredIndex, Tables


class InMemoryIndexRegistry(IndexRegistry):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def current(self) -> RegisteredIndex | None:
        return next((self._registered(key) for key, each in self._tables.indexes.items() if each.is_current), None)

    async def adopt(self, key: IndexKey) -> RegisteredIndex:
        if (known := await self.current()) is not None:
            return known
        fresh = StoredIndex(is_complete=not self._tables.indexed())
        self._tables.indexes[key] = replace(self._tables.indexes.get(key, fresh), is_current=True)
        return self._registered(key)

    async def begin(self, key: IndexKey) -> RegisteredIndex:
        self._tables.indexes.setdefault(key, StoredIndex())
        return self._registered(key)

    async def hold_current(self, key: IndexKey) -> None:
        stored = self._tables.indexes.get(key)
        if stored is None or not stored.is_current:
            raise UnavailableError("vector index", "documents are indexed into another one now")

    async def record(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        if key in self._tables.indexes:
            self._tables.held.update(((key, ref.document_id), ref.generation) for ref in documents)

    async def lacking(self, key: IndexKey, *, limit: int) -> Sequence[Document]:
        lacking = [document for document in self._tables.indexed() if not self._tables.holds(key, document)]
        return sorted(lacking, key=lambda d: (-int(d.pgm_id.removeprefix("PGM_")), d.ordinal))[:limit]

    async def held(self, key: IndexKey, *, after: str, limit: int) -> Sequence[RecordedDocument]:
        held = [
            RecordedDocument(
                ref=document.ref,
                chunk_count=len(self._tables.chunks.get((document.ref, key.rendering_version), ())),
            )
            for document in self._tables.indexed()
            if document.document_id > after and self._tables.holds(key, document)
        ]
        return sorted(held, key=lambda document: document.ref.document_id)[:limit]

    async def forget(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        for ref in documents:
            if self._tables.held.get((key, ref.document_id)) == ref.generation:
                del self._tables.held[key, ref.document_id]

    async def lost(self, key: IndexKey) -> None:
        if key in self._tables.indexes:
            self._tables.indexes[key] = replace(self._tables.indexes[key], is_complete=False)
        for each in [each for each in self._tables.held if each[0] == key]:
            del self._tables.held[each]

    async def complete(self, key: IndexKey) -> bool:
        if key not in self._tables.indexes or await self.lacking(key, limit=1):
            return False
        for other, stored in list(self._tables.indexes.items()):
            self._tables.indexes[other] = replace(stored, is_current=False)
        self._tables.indexes[key] = StoredIndex(is_current=True, is_complete=True)
        return True

    async def take_building(self, key: IndexKey, *, builder: str, lease: timedelta) -> bool:
        stored, now = self._tables.indexes[key], self._registry.clock()
        if stored.builder not in {None, builder} and stored.builder_until is not None and stored.builder_until > now:
            return False
        self._tables.indexes[key] = replace(stored, builder=builder, builder_until=now + lease)
        return True

    async def forget_others(self, key: IndexKey) -> None:
        for other in [other for other in self._tables.indexes if other != key]:
            await self.lost(other)
            del self._tables.indexes[other]
        for each in [each for each in self._tables.chunks if each[1] != key.rendering_version]:
            del self._tables.chunks[each]

    def _registered(self, key: IndexKey) -> RegisteredIndex:
        stored = self._tables.indexes[key]
        return RegisteredIndex(
            key=key,
            is_current=stored.is_current,
            is_complete=stored.is_complete,
            holds_chunks=any(
                document.chunk_count > 0 and self._tables.holds(key, document) for document in self._tables.indexed()
            ),
        )
