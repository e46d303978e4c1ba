"""Ownership in memory, over what the in-memory unit of work committed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.document import DocumentRef, DocumentState
from domain.ports.ownership import Owner, Ownership
from fakes.registry import InMemoryRegistry, Tables

_HAS_CHUNKS = {DocumentState.PENDING, DocumentState.INDEXING, DocumentState.INDEXED}


class InMemoryOwnership(Ownership):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def of_vectors(self, documents: Sequence[DocumentRef]) -> Mapping[DocumentRef, Owner]:
        return {ref: self._owner(ref) for ref in documents}

    async def owned_prefixes(self, prefixes: Sequence[str]) -> frozenset[str]:
        return frozenset(prefixes) & (self._tables.prefixes() | self._tables.uploads.keys())

    async def has_programs(self) -> bool:
        return any(not each.is_deleted for each in self._tables.programs.values())

    async def unpurged_programs(self, *, after: str, limit: int) -> Sequence[str]:
        unpurged = {pgm_id for pgm_id, each in self._tables.programs.items() if each.is_deleted and each.parts}
        return sorted(pgm_id for pgm_id in unpurged - self._tables.to_be_purged() if pgm_id > after)[:limit]

    async def abandoned_uploads(self, *, older_than: timedelta, after: str, limit: int) -> Sequence[str]:
        oldest = self._registry.clock() - older_than
        old = (prefix for prefix, upload in self._tables.uploads.items() if upload.started_at < oldest)
        return sorted(prefix for prefix in old if prefix > after)[:limit]

    def _owner(self, ref: DocumentRef) -> Owner:
        document = self._tables.documents.get(ref.document_id)
        if ref in self._tables.moving() or (document and document.pgm_id in self._tables.to_be_purged()):
            return Owner.EVENT
        if document and (document.pgm_id, document.revision) in self._tables.to_be_superseded():
            return Owner.EVENT if not self._tables.is_live(document) else Owner.DOCUMENT
        if document is None or not self._tables.is_live(document):
            return Owner.NOBODY
        if document.ref != ref:
            return Owner.OTHER_GENERATION
        return Owner.DOCUMENT if document.state in _HAS_CHUNKS else Owner.FAILED_DOCUMENT
