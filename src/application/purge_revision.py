"""Purge a revision that another one has taken the place of: its vectors, its blobs, its rows."""

from dataclasses import dataclass

from application.remove_vectors import remove_vectors
from domain.events import RevisionSuperseded, StartedEvent
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex
from domain.registration import revision_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeRevision:
    """Every step may be repeated; the rows go last, with the event. Numbers are never used again."""

    unit_of_work: UnitOfWork
    blobs: BlobStore
    index: VectorIndex

    async def __call__(self, started: StartedEvent, event: RevisionSuperseded) -> None:
        """Raises UnavailableError when a store gives no answer."""
        async with self.unit_of_work.begin() as transaction:
            documents = await transaction.documents.superseded(event.pgm_id, event.revision)
        if documents:
            await remove_vectors(self.index, documents)
            await self.blobs.delete_below(revision_prefix(event.pgm_id, event.revision))
        async with self.unit_of_work.begin() as transaction:
            await transaction.programs.purge_revision(event.pgm_id, event.revision)
            await transaction.outbox.finish(started)
