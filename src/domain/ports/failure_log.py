"""The history of failures, in the transaction that decides what follows from each."""

from collections.abc import Sequence
from typing import Protocol

from domain.events import StartedEvent
from domain.failures import FailedAttempt


class FailureLog(Protocol):
    """Append-only, in the order of recording. What is known of a program goes with its purge."""

    async def record(self, attempts: Sequence[FailedAttempt]) -> None:
        """Add to the history; what concerns a program that is deleted is left out."""
        ...

    async def told_attempts(self, started: StartedEvent) -> int:
        """How many of the attempts at this event, before this one, stand in the history: the others just ended."""
        ...

    async def record_once(self, attempt: FailedAttempt) -> None:
        """Add to the history what its newest entry of that event does not tell already.

        An event that is put off for days, at the same attempt, is one line.
        """
        ...

    async def trim(self, *, keep: int, limit: int) -> int:
        """Cut each program's history to `keep` entries; of at most `limit` in all, how many were removed.

        The oldest go first, those of attempts that were repeated before those of documents that failed for good.
        A program that has not failed for long may be left out.
        """
        ...
