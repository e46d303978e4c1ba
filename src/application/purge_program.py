"""Purge a deleted program: its vectors, its blobs, its rows."""

from dataclasses import dataclass

from domain.events import ProgramDeleted, StartedEvent
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex
from domain.registration import program_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeProgram:
    """Every step may be repeated; the rows go last, with the event."""

    unit_of_work: UnitOfWork
    blobs: BlobStore
    index: VectorIndex

    async def __call__(self, started: StartedEvent, event: ProgramDeleted) -> None:
        """Raises UnavailableError when a store gives no answer."""
        await self.index.remove_program(event.pgm_id)
        await self.blobs.delete_below(program_prefix(event.pgm_id))
        async with self.unit_of_work.begin() as transaction:
            await transaction.programs.purge(event.pgm_id)
            await transaction.outbox.finish(started)
