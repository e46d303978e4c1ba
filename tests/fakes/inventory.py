"""Inventory in memory, over what the in-memory unit of work committed."""

from collections.abc import Sequence

from domain.chunk import chunk_id
from domain.document import Document, DocumentRef
from domain.index_key import IndexKey
from domain.ports.inventory import Inventory, StockedDocument
from fakes.registry import InMemoryRegistry, StoredIndex, Tables


class InMemoryInventory(Inventory):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def documents(self, key: IndexKey, *, after: str, limit: int) -> Sequence[StockedDocument]:
        ids = sorted(document_id for document_id in self._tables.documents if document_id > after)
        return (await self.these(key, ids))[:limit]

    async def these(self, key: IndexKey, document_ids: Sequence[str]) -> Sequence[StockedDocument]:
        known = (self._tables.documents.get(document_id) for document_id in sorted(document_ids))
        return [self._stocked(key, each) for each in known if each and self._tables.is_live(each)]

    async def chunk_ids(self, key: IndexKey, documents: Sequence[DocumentRef]) -> frozenset[str]:
        return frozenset(
            chunk_id(ref, chunk.ordinal)
            for ref in documents
            for chunk in self._tables.chunks.get((ref, key.rendering_version), ())
        )

    def _stocked(self, key: IndexKey, document: Document) -> StockedDocument:
        index = self._tables.indexes.get(key, StoredIndex())
        is_held = self._tables.holds(key, document)
        uses = self._tables.uses.get(document.document_id)
        if uses is not None and uses.generation != document.generation:
            uses = None
        return StockedDocument(
            document=document,
            chunk_rows=len(self._tables.chunks.get((document.ref, key.rendering_version), ())),
            is_held=is_held,
            is_due=not is_held and index.is_current and index.is_complete,
            is_moving=document.ref in self._tables.moving(),
            use_rows=len(uses.uses) if uses else 0,
            use_count=uses.use_count if uses else None,
        )
