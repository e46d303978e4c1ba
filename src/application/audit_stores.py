"""Compare the record, the blob store and the vector index with each other while all of them are in use."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.audit_blobs import AuditBlobs
from application.audit_documents import AuditDocuments
from application.audit_vectors import AuditVectors
from application.find_orphans import FindOrphans
from application.sweep_uploads import LONGEST_UPLOAD
from domain.drift import Drift, DriftKind
from domain.errors import ConflictError
from domain.ports.ownership import Ownership
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex
from domain.registration import pgm_id_of

# The sweep takes an upload over after half of that: one that is still there was not swept.
ABANDONED_AFTER = 2 * LONGEST_UPLOAD
_PER_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStores:
    """Reads alone, page by page; nothing is locked, and what is under way is no drift."""

    unit_of_work: UnitOfWork
    index: VectorIndex
    ownership: Ownership
    documents: AuditDocuments
    vectors: AuditVectors
    blobs: AuditBlobs
    find_orphans: FindOrphans

    async def __call__(self, *, deep: bool = False) -> AsyncIterator[Drift]:
        """Yield what is found as it is found; `deep` reads every blob.

        Raises UnavailableError, and ConflictError where documents are indexed into another index than this one.
        """
        has_index = await self._has_index()
        async for drift in self.documents():
            yield drift
        if has_index:
            async for drift in self.vectors():
                yield drift
        async for drift in self.blobs(deep=deep):
            yield drift
        async for orphans in self.find_orphans():
            pgm_id = pgm_id_of(orphans.prefix)
            yield Drift(kind=DriftKind.BLOB_ORPHAN, pgm_id=pgm_id, ids=orphans.keys, count=orphans.count)
        async for drift in self._forgotten():
            yield drift

    async def _has_index(self) -> bool:
        """Whether there is one to be compared: before the first document none need be made."""
        async with self.unit_of_work.begin() as transaction:
            current = await transaction.indexes.current()
        if current is not None and current.key != self.index.key:
            raise ConflictError(f"the index in use is that of {current.key}: audit with the settings of its workers")
        return (current is not None and current.holds_chunks) or await self.index.count() is not None

    async def _forgotten(self) -> AsyncIterator[Drift]:
        """What no event moves. Each page is of one moment, so that nothing need be looked at again."""
        after = ""
        while pgm_ids := await self.ownership.unpurged_programs(after=after, limit=_PER_PAGE):
            for pgm_id in pgm_ids:
                yield Drift(kind=DriftKind.PURGE_MISSING, pgm_id=pgm_id)
            after = pgm_ids[-1]
        after = ""
        while prefixes := await self._abandoned(after):
            for prefix in prefixes:
                yield Drift(kind=DriftKind.UPLOAD_ABANDONED, pgm_id=pgm_id_of(prefix), ids=(prefix,))
            after = prefixes[-1]

    async def _abandoned(self, after: str) -> list[str]:
        return list(await self.ownership.abandoned_uploads(older_than=ABANDONED_AFTER, after=after, limit=_PER_PAGE))
