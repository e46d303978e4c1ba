"""Purge what removed documents left: their vectors and their blobs."""

from dataclasses import dataclass

from application.remove_vectors import remove_vectors
from domain.events import DocumentsRemoved, StartedEvent
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeDocuments:
    """Every step may be repeated. Their rows went when they were removed; the prefix is forgotten with the event."""

    unit_of_work: UnitOfWork
    blobs: BlobStore
    index: VectorIndex

    async def __call__(self, started: StartedEvent, event: DocumentsRemoved) -> None:
        """Raises UnavailableError when a store gives no answer."""
        await remove_vectors(self.index, event.documents)
        await self.blobs.delete_below(event.prefix)
        async with self.unit_of_work.begin() as transaction:
            await transaction.uploads.forget(event.prefix)
            await transaction.outbox.finish(started)
