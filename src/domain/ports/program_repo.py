"""The record of programs."""

from typing import Protocol

from domain.comments import DeviceComments
from domain.program import Registration
from domain.template import Template


class ProgramRepo(Protocol):
    """Programs by id. A deleted program is unknown here to every method but the last two."""

    async def next_pgm_id(self) -> str:
        """Draw a fresh `PGM_<n>`; gaps are normal."""
        ...

    async def add(self, registration: Registration) -> None:
        """Record the program, its revision, template rows and device comments (not its documents)."""
        ...

    async def template_of(self, pgm_id: str) -> Template:
        """The template of the current revision. Raises NotFoundError."""
        ...

    async def comments_of(self, pgm_id: str) -> DeviceComments:
        """The device comments of the current revision. Raises NotFoundError."""
        ...

    async def delete(self, pgm_id: str) -> None:
        """Take the program out of every answer and raise the generation of its documents. Raises NotFoundError."""
        ...

    async def is_deleted(self, pgm_id: str) -> bool:
        """Whether there was such a program and it is deleted, purged or not; one that never was is not deleted."""
        ...

    async def purge(self, pgm_id: str) -> None:
        """Remove every row of a deleted program but its tombstone. Repeatable."""
        ...
