"""What must still be done, recorded in the transaction that decided it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from domain.events import ClaimedEvent, Event, StartedEvent
from domain.ports.catalogue import Page


class Outbox(Protocol):
    """Leased events, at least once. All times are the database's.

    Where an event comes from is written beside it by who opens the transaction, and comes back with its start.
    A claim ends when its lease runs out, wherever its holder is; every method that takes a lease token
    raises ConflictError when the token no longer holds the event.
    """

    async def add(self, events: Sequence[Event]) -> list[int]:
        """Record events, due at once; return their ids in order. Whoever listens is woken at commit."""
        ...

    async def claim(self, limit: int, *, lease: timedelta) -> list[ClaimedEvent]:
        """Take up to `limit` due events nobody holds, oldest first, each under a fresh lease token."""
        ...

    async def hold(self, event_ids: Sequence[int], *, lease: timedelta) -> list[ClaimedEvent]:
        """Claim just these, which this transaction added: no relay sees them free before the lease has run out."""
        ...

    async def start(self, claimed: ClaimedEvent, *, lease: timedelta) -> StartedEvent:
        """Begin work: count the attempt and exchange the token, so that a second delivery of the claim conflicts.

        Raises NewerEventError for an event that only a newer version knows, UnindexableError for what nobody can read.
        """
        ...

    async def extend(self, claimed: ClaimedEvent | StartedEvent, *, lease: timedelta) -> None:
        """Heartbeat: hold the event for `lease` from now."""
        ...

    async def finish(self, started: StartedEvent) -> None:
        """Record that the event is done."""
        ...

    async def release(self, held: ClaimedEvent | StartedEvent, *, delay: timedelta, reason: str = "") -> None:
        """Give the event back, due after `delay`; `reason` is kept as its last error."""
        ...

    async def put_off(self, started: StartedEvent, *, delay: timedelta, reason: str) -> None:
        """Give a started event back, due after `delay`, without counting the attempt: it failed on nothing of its own.

        `reason` is kept as its last error.
        """
        ...

    async def return_unworked(self, started: StartedEvent) -> None:
        """Give a started event back at once without counting the attempt (shutdown)."""
        ...

    async def bury(self, event_id: int, *, reason: str, if_older_than: timedelta = timedelta(0)) -> bool:
        """Mark the event dead: visible, never tried again by itself.

        Only one that is pending and was recorded so long ago; whether it was.
        """
        ...

    async def revive(self, *, limit: int, cursor: str | None = None) -> Page[Event | None]:
        """Give dead events back as if they had never been tried, oldest first, due at once.

        The page shows what was given back; None for what cannot be read here. Raises InvalidRequestError for
        a cursor that was not given out.
        """
        ...

    async def forget_done(self, *, older_than: timedelta, limit: int) -> int:
        """Remove at most `limit` of the events that were done longer ago than this, oldest first; how many."""
        ...
