"""Delete many programs, each by itself: what is gone already is no reason to keep the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from application.delete_program import DeleteProgram
from domain.errors import NotFoundError


class Deletion(StrEnum):
    """What became of one: deleted now, or not there, because it was deleted before or never was."""

    DELETED = "deleted"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePrograms:
    """One transaction for each program. Repeatable: what an outage interrupted goes on where it was."""

    delete_program: DeleteProgram

    async def __call__(self, pgm_ids: Sequence[str]) -> dict[str, Deletion]:
        """What became of each, in the order in which they are named; one that is named twice is told once."""
        return {pgm_id: await self._delete(pgm_id) for pgm_id in dict.fromkeys(pgm_ids)}

    async def _delete(self, pgm_id: str) -> Deletion:
        try:
            await self.delete_program(pgm_id)
        except NotFoundError:
            return Deletion.ABSENT
        return Deletion.DELETED
