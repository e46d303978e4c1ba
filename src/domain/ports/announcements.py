"""What webhooks are told, recorded in the transaction of what it tells."""

from typing import Protocol


class Announcements(Protocol):
    """One delivery for each subscription that is switched on and wants the kind. None makes any of it fail."""

    async def registered(self, pgm_id: str, revision: int) -> None:
        """A program, or a revision of it, was registered in this transaction."""
        ...

    async def deleted(self, pgm_id: str) -> None:
        """A program was deleted in this transaction."""
        ...

    async def hold(self, pgm_id: str) -> None:
        """Before documents reach their last state in a transaction that says `ended`: others who do so wait.

        Where nobody is to be told, nothing is held.
        """
        ...

    async def ended(self, pgm_id: str) -> None:
        """Documents have reached their last state, in this transaction or one before: told if those were the last.

        Told once for each run of an indexing. Whoever calls holds the program from here on, see `hold`.
        """
        ...
