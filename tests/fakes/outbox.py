"""Outbox in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from domain.errors import ConflictError, InvalidRequestError, NewerEventError, UnindexableError
from domain.events import ClaimedEvent, Event, StartedEvent
from domain.ports.catalogue import Page
from domain.ports.outbox import Outbox
from domain.told import told
from fakes.registry import InMemoryRegistry, StoredEvent, Tables

_CURSOR = "dead-"


class InMemoryOutbox(Outbox):
    """One transaction's view. Rows that an open transaction claimed are locked, as SKIP LOCKED sees them."""

    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._events = tables.events
        self._locked: set[int] = set()

    def unlock(self) -> None:
        """At the end of the transaction."""
        self._registry.claimed_rows -= self._locked

    async def add(self, events: Sequence[Event]) -> list[int]:
        ids = [next(self._registry.event_ids) for _ in events]
        for event_id, event in zip(ids, events, strict=True):
            self._events[event_id] = StoredEvent(
                event=event,
                due=self._registry.clock(),
                created=self._registry.clock(),
                origin=self._registry.origin(),
            )
        return ids

    async def claim(self, limit: int, *, lease: timedelta) -> list[ClaimedEvent]:
        now = self._registry.clock()
        due = [
            (row.due, event_id)
            for event_id, row in self._events.items()
            if row.is_pending and row.due <= now and event_id not in self._registry.claimed_rows
        ]
        chosen = sorted(event_id for _, event_id in sorted(due)[:limit])
        self._locked.update(chosen)
        self._registry.claimed_rows.update(chosen)
        return [self._take(event_id, lease) for event_id in chosen]

    async def hold(self, event_ids: Sequence[int], *, lease: timedelta) -> list[ClaimedEvent]:
        free = (event_id for event_id in sorted(event_ids) if event_id in self._events)
        return [
            self._take(event_id, lease)
            for event_id in free
            if self._events[event_id].is_pending and self._events[event_id].lease_token is None
        ]

    async def start(self, claimed: ClaimedEvent, *, lease: timedelta) -> StartedEvent:
        row = self._held(claimed)
        if row.is_newer:
            raise NewerEventError("there is no such kind here")
        if row.event is None:
            raise UnindexableError("event_unreadable", "the payload of the event cannot be read")
        self._events[claimed.event_id] = replace(row, attempts=row.attempts + 1)
        token = self._take(claimed.event_id, lease).lease_token
        return StartedEvent(
            event_id=claimed.event_id,
            lease_token=token,
            attempts=row.attempts + 1,
            event=row.event,
            origin=row.origin,
        )

    async def extend(self, claimed: ClaimedEvent | StartedEvent, *, lease: timedelta) -> None:
        self._events[claimed.event_id] = replace(self._held(claimed), due=self._registry.clock() + lease)

    async def finish(self, started: StartedEvent) -> None:
        self._events[started.event_id] = replace(self._held(started), done=self._registry.clock(), lease_token=None)

    async def release(self, held: ClaimedEvent | StartedEvent, *, delay: timedelta, reason: str = "") -> None:
        row = self._held(held)
        self._events[held.event_id] = replace(
            row, due=self._registry.clock() + delay, lease_token=None, last_error=reason or row.last_error
        )

    async def put_off(self, started: StartedEvent, *, delay: timedelta, reason: str) -> None:
        await self.release(started, delay=delay, reason=reason)
        row = self._events[started.event_id]
        self._events[started.event_id] = replace(row, attempts=row.attempts - 1)

    async def return_unworked(self, started: StartedEvent) -> None:
        row = self._held(started)
        self._events[started.event_id] = replace(
            row, due=self._registry.clock(), lease_token=None, attempts=row.attempts - 1
        )

    async def bury(self, event_id: int, *, reason: str, if_older_than: timedelta = timedelta(0)) -> bool:
        row = self._events.get(event_id)
        is_due = row is not None and row.is_pending and row.created <= self._registry.clock() - if_older_than
        if row is not None and is_due:
            self._events[event_id] = replace(row, is_dead=True, lease_token=None, last_error=reason)
        return is_due

    async def revive(self, *, limit: int, cursor: str | None = None) -> Page[Event | None]:
        if cursor is not None and not cursor.startswith(_CURSOR):
            raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
        after = int(cursor.removeprefix(_CURSOR)) if cursor else 0
        dead = sorted(event_id for event_id, row in self._events.items() if row.is_dead and event_id > after)
        for event_id in dead[:limit]:
            row = self._events[event_id]
            self._events[event_id] = replace(row, is_dead=False, attempts=0, due=self._registry.clock())
        return Page(
            items=tuple(self._events[event_id].event for event_id in dead[:limit]),
            next_cursor=f"{_CURSOR}{dead[limit - 1]}" if len(dead) > limit else None,
        )

    async def forget_done(self, *, older_than: timedelta, limit: int) -> int:
        oldest = self._registry.clock() - older_than
        done = sorted((row.done, event_id) for event_id, row in self._events.items() if row.done and row.done < oldest)
        for _, event_id in done[:limit]:
            del self._events[event_id]
        return len(done[:limit])

    def _take(self, event_id: int, lease: timedelta) -> ClaimedEvent:
        token, is_rescued = str(uuid4()), self._events[event_id].lease_token is not None
        self._events[event_id] = replace(self._events[event_id], lease_token=token, due=self._registry.clock() + lease)
        return ClaimedEvent(event_id=event_id, lease_token=token, is_rescued=is_rescued)

    def _held(self, held: ClaimedEvent | StartedEvent) -> StoredEvent:
        row = self._events.get(held.event_id)
        if row is None or row.lease_token != held.lease_token or row.due <= self._registry.clock():
            raise ConflictError(f"the lease of event {held.event_id} has ended")
        return row
