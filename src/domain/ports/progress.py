"""How far the indexing of a program is."""

from typing import Protocol

from domain.indexing_standing import IndexingStanding


class Progress(Protocol):
    """A look at the record, cheap enough for twice a second."""

    async def of(self, pgm_id: str) -> IndexingStanding:
        """The latest revision of a program, of one moment.

        Raises NotFoundError for one that is unknown or deleted, UnavailableError.
        """
        ...
