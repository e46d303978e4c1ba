"""UseRepo in memory."""

from collections.abc import Collection, Sequence

from domain.document import Document, DocumentRef
from domain.ports.document_repo import IndexedDocument
from domain.ports.use_repo import UseRepo
from domain.uses import USES_VERSION
from fakes.registry import InMemoryRegistry, StoredUses, Tables


class InMemoryUseRepo(UseRepo):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def record(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        known = [document for document in documents if self._is_known(document.ref)]
        for document in known:
            self._tables.uses[document.ref.document_id] = StoredUses(
                generation=document.ref.generation,
                uses_version=USES_VERSION,
                use_count=sum(len(chunk.uses) for chunk in document.chunks),
                uses={
                    next(self._registry.use_ids): (chunk.ordinal, use)
                    for chunk in document.chunks
                    for use in chunk.uses
                },
            )
        return frozenset(document.ref for document in known)

    async def give_up(self, refs: Collection[DocumentRef]) -> None:
        for ref in filter(self._is_known, refs):
            self._tables.uses[ref.document_id] = StoredUses(
                generation=ref.generation, uses_version=USES_VERSION, use_count=0, uses={}, is_unreadable=True
            )

    async def forget(self, refs: Collection[DocumentRef]) -> None:
        for ref in filter(self._is_known, refs):
            self._tables.uses.pop(ref.document_id, None)

    async def lacking(self, *, limit: int) -> Sequence[Document]:
        lacking = (document for document in self._tables.indexed() if not self._has_uses(document))
        newest_first = sorted(
            lacking, key=lambda each: (-int(each.pgm_id.removeprefix("PGM_")), each.revision, each.ordinal)
        )
        return newest_first[:limit]

    def _is_known(self, ref: DocumentRef) -> bool:
        return any(document.ref == ref for document in self._tables.indexed())

    def _has_uses(self, document: Document) -> bool:
        stored = self._tables.uses.get(document.document_id)
        return stored is not None and stored.generation == document.generation and stored.uses_version >= USES_VERSION
