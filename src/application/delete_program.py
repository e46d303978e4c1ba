"""Delete a program: out of every answer at once, purged everywhere by the worker."""

from dataclasses import dataclass

from domain.events import ProgramDeleted
from domain.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProgram:
    """Tombstone and event in one transaction."""

    unit_of_work: UnitOfWork

    async def __call__(self, pgm_id: str) -> None:
        """Raises NotFoundError when there is no such program, or no longer."""
        async with self.unit_of_work.begin() as transaction:
            await transaction.programs.delete(pgm_id)
            await transaction.announcements.deleted(pgm_id)
            await transaction.outbox.add([ProgramDeleted(pgm_id=pgm_id)])
