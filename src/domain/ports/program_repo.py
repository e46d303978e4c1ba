"""The record of programs."""

from collections.abc import Sequence
from typing import Protocol

from domain.comments import DeviceComments
from domain.program import DetailChanges, LatestRevision, Program, Registration
from domain.template import Template


class ProgramRepo(Protocol):
    """Programs by id. A deleted program is unknown here to every method but the last two."""

    async def next_pgm_id(self, *, skip: int = 0) -> str:
        """Draw a fresh `PGM_<n>`, `skip` numbers beyond the next; gaps are normal."""
        ...

    async def add(self, registration: Registration) -> None:
        """Record the program, its revision, template rows and device comments (not its documents)."""
        ...

    async def latest(self, pgm_id: str) -> LatestRevision:
        """The newest revision. Raises NotFoundError."""
        ...

    async def draw_revision(self, pgm_id: str, *, skip: int = 0) -> int:
        """Draw the number of a new revision, greater than all before by 1 + `skip`; gaps are normal.

        Raises NotFoundError.
        """
        ...

    async def add_revision(self, registration: Registration) -> Sequence[int]:
        """Record another revision of a program, with its template rows and comments, beside the one that answers.

        It is the latest one unless a greater number was recorded before it. Returns the revisions that are
        superseded now: one that waited to answer and never will, be it this one. Raises NotFoundError.
        """
        ...

    async def draw_document(self, pgm_id: str, *, skip: int = 0) -> int:
        """Draw the number of a further document, greater than all before by 1 + `skip`; gaps are normal.

        Raises NotFoundError.
        """
        ...

    async def hold_pending(self, pgm_id: str) -> None:
        """Before documents are changed, and until the transaction ends: nobody else may promote what waits to answer.

        Where nothing waits, nothing is held.
        """
        ...

    async def promote(self, pgm_id: str) -> int | None:
        """Let the latest revision answer if every document of it is indexed, or has nothing to index.

        Returns the revision that answered before, None where nothing changed. Of the transactions that index its
        last documents, one sees the others: they wait for each other, see `hold_pending`.
        """
        ...

    async def amend(self, pgm_id: str, changes: DetailChanges, *, seen: Program | None = None) -> Program:
        """Change what is said of a program, and when it was updated; returns it as it is then.

        Raises NotFoundError, and ConflictError where somebody changed it, or another revision answers, since it
        was `seen` so.
        """
        ...

    async def template_of(self, pgm_id: str, revision: int) -> Template:
        """The template of a revision. Raises NotFoundError for one that is superseded, too."""
        ...

    async def comments_of(self, pgm_id: str, revision: int) -> DeviceComments:
        """The device comments of a revision. Raises NotFoundError for one that is superseded, too."""
        ...

    async def delete(self, pgm_id: str) -> None:
        """Take the program out of every answer and raise the generation of its documents. Raises NotFoundError."""
        ...

    async def is_gone(self, pgm_id: str, revision: int) -> bool:
        """Whether a program was deleted, or has gone past this revision.

        Of one that never was nothing is gone, nor is a revision beyond its latest: both may be uploaded just now.
        """
        ...

    async def purge(self, pgm_id: str) -> None:
        """Remove every row of a deleted program but its tombstone. Repeatable."""
        ...

    async def purge_revision(self, pgm_id: str, revision: int) -> None:
        """Remove every row of a superseded revision; any other stays as it is. Repeatable."""
        ...
