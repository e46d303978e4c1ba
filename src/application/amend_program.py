"""Change what is said of a program: its name, its version, its texts. Its files are another thing."""

from dataclasses import dataclass

from domain.ports.unit_of_work import UnitOfWork
from domain.program import DetailChanges, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendCommand:
    """What changes. `seen` is the program as whoever decided this saw it; None changes it whatever it is by now."""

    pgm_id: str
    changes: DetailChanges
    seen: Program | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendProgram:
    """Nothing is indexed anew: no rung says what its program is called."""

    unit_of_work: UnitOfWork

    async def __call__(self, command: AmendCommand) -> Program:
        """The program as it is now. Raises NotFoundError, ConflictError where it is no longer as it was seen."""
        async with self.unit_of_work.begin() as transaction:
            return await transaction.programs.amend(command.pgm_id, command.changes, seen=command.seen)
