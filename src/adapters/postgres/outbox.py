"""Outbox on Postgres."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, any_, bindparam, delete, false, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from adapters.postgres.cursors import cursor_after, key_of
from adapters.postgres.diagnostics import legible
from adapters.postgres.event_rows import event_of, row_of_event
from adapters.postgres.many_rows import insert_of
from adapters.postgres.tables import IS_DEAD, IS_DONE, IS_PENDING, NOW, outbox
from domain.errors import ConflictError, UnindexableError
from domain.events import ClaimedEvent, Event, StartedEvent
from domain.ports.catalogue import Page
from domain.ports.outbox import Outbox

Origin = Callable[[], Mapping[str, str]]
"""Where what is recorded now comes from; empty where nobody knows."""

CHANNEL = "ladderbase_outbox"
_DEAD = "dead"


class PostgresOutbox(Outbox):
    """Events in the transaction of one connection.

    `next_attempt_at` is both when a free event is due and when the lease of a held one runs out: an event
    whose holder died is due like any other, and the claim is the sweeper too. `origin` says where events come from.
    """

    def __init__(self, connection: AsyncConnection, origin: Origin = dict) -> None:
        self._connection = connection
        self._origin = origin

    async def add(self, events: Sequence[Event]) -> list[int]:
        """See the port."""
        if not events:
            return []
        origin = {"trace_context": dict(self._origin()) or None}
        rows = [{**row_of_event(event), **origin} for event in events]
        ids = await self._connection.scalars(insert_of(outbox, rows).returning(outbox.c.event_id))
        await self._wake_listeners()
        # RETURNING promises no order; ids are drawn in the order of the rows.
        return sorted(ids)

    async def claim(self, limit: int, *, lease: timedelta) -> list[ClaimedEvent]:
        """See the port. Events that another transaction is claiming are passed over, not waited for."""
        due = (
            select(outbox.c.event_id, outbox.c.lease_token.is_not(None).label("was_held"))
            .where(IS_PENDING, outbox.c.next_attempt_at <= NOW)
            .order_by(outbox.c.next_attempt_at, outbox.c.event_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        return await self._take(outbox.c.event_id == due.c.event_id, due.c.was_held, lease=lease)

    async def hold(self, event_ids: Sequence[int], *, lease: timedelta) -> list[ClaimedEvent]:
        """See the port. What somebody holds already is left out."""
        is_free = outbox.c.lease_token.is_(None) & IS_PENDING
        return await self._take(outbox.c.event_id.in_(event_ids) & is_free, false(), lease=lease)

    async def start(self, claimed: ClaimedEvent, *, lease: timedelta) -> StartedEvent:
        """See the port."""
        row = await self._change_held(
            claimed,
            attempts=outbox.c.attempts + 1,
            lease_token=func.gen_random_uuid(),
            next_attempt_at=NOW + lease,
        )
        return StartedEvent(
            event_id=row.event_id,
            lease_token=row.lease_token,
            attempts=row.attempts,
            event=event_of(row.kind, row.payload),
            origin=_texts_of(row.trace_context),
        )

    async def extend(self, claimed: ClaimedEvent | StartedEvent, *, lease: timedelta) -> None:
        """See the port."""
        await self._change_held(claimed, next_attempt_at=NOW + lease)

    async def finish(self, started: StartedEvent) -> None:
        """See the port."""
        await self._change_held(started, done_at=NOW, lease_token=None)

    async def release(self, held: ClaimedEvent | StartedEvent, *, delay: timedelta, reason: str = "") -> None:
        """See the port. Without a reason the former one stays."""
        last_error = legible(reason) if reason else outbox.c.last_error
        await self._change_held(held, next_attempt_at=NOW + delay, lease_token=None, last_error=last_error)

    async def put_off(self, started: StartedEvent, *, delay: timedelta, reason: str) -> None:
        """See the port."""
        await self._change_held(
            started,
            next_attempt_at=NOW + delay,
            lease_token=None,
            attempts=outbox.c.attempts - 1,
            last_error=legible(reason),
        )

    async def return_unworked(self, started: StartedEvent) -> None:
        """See the port."""
        await self._change_held(started, next_attempt_at=NOW, lease_token=None, attempts=outbox.c.attempts - 1)
        await self._wake_listeners()

    async def bury(self, event_id: int, *, reason: str, if_older_than: timedelta = timedelta(0)) -> bool:
        """See the port. An event that is done or dead, or never was, stays so."""
        buried = await self._connection.execute(
            update(outbox)
            .where(outbox.c.event_id == event_id, outbox.c.created_at <= NOW - if_older_than, IS_PENDING)
            .values(dead_at=NOW, lease_token=None, last_error=legible(reason))
        )
        return buried.rowcount > 0

    async def revive(self, *, limit: int, cursor: str | None = None) -> Page[Event | None]:
        """See the port. The last error stays."""
        after = 0 if cursor is None else key_of(cursor, listing=_DEAD)
        found = await self._connection.execute(
            select(outbox.c.event_id, outbox.c.kind, outbox.c.payload)
            .where(IS_DEAD, outbox.c.event_id > after)
            .order_by(outbox.c.event_id)
            .limit(limit + 1)
            .with_for_update()
        )
        rows = found.all()
        revived = rows[:limit]
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.event_id.in_([row.event_id for row in revived]))
            .values(dead_at=None, attempts=0, next_attempt_at=NOW)
        )
        await self._wake_listeners()
        return Page(
            items=tuple(_event_or_none(row.kind, row.payload) for row in revived),
            next_cursor=cursor_after(_DEAD, revived[-1].event_id) if len(rows) > limit else None,
        )

    async def forget_done(self, *, older_than: timedelta, limit: int) -> int:
        """See the port. Those that another sweep is removing are passed over, not waited for.

        By their ids, in a statement of its own: joined with the oldest, the planner would read the whole table.
        """
        oldest = await self._connection.scalars(
            select(outbox.c.event_id)
            .where(IS_DONE, outbox.c.done_at < NOW - older_than)
            .order_by(outbox.c.done_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = bindparam("ids", oldest.all(), type_=ARRAY(BigInteger))
        return (await self._connection.execute(delete(outbox).where(outbox.c.event_id == any_(ids)))).rowcount

    async def _take(
        self, those: ColumnElement[bool], is_rescued: ColumnElement[bool], *, lease: timedelta
    ) -> list[ClaimedEvent]:
        rows = await self._connection.execute(
            update(outbox)
            .where(those)
            .values(lease_token=func.gen_random_uuid(), next_attempt_at=NOW + lease)
            .returning(outbox.c.event_id, outbox.c.lease_token, is_rescued.label("is_rescued"))
        )
        claimed = [
            ClaimedEvent(event_id=row.event_id, lease_token=row.lease_token, is_rescued=row.is_rescued) for row in rows
        ]
        return sorted(claimed, key=lambda event: event.event_id)

    async def _change_held(self, held: ClaimedEvent | StartedEvent, **values: object) -> Row[Any]:
        """Change the row only where the token still holds it: compare and set in one statement."""
        changed = await self._connection.execute(
            update(outbox)
            .where(
                outbox.c.event_id == held.event_id,
                # As text: a token that is no UUID holds nothing, it is no error.
                outbox.c.lease_token.cast(Text) == held.lease_token,
                outbox.c.next_attempt_at > NOW,
                IS_PENDING,
            )
            .values(**values)
            .returning(*outbox.c)
        )
        row = changed.one_or_none()
        if row is None:
            raise ConflictError(f"the lease of event {held.event_id} has ended")
        return row

    async def _wake_listeners(self) -> None:
        await self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def _texts_of(origin: object) -> Mapping[str, str]:
    """What cannot be read here is no reason not to work."""
    pairs = origin.items() if isinstance(origin, dict) else ()
    return {str(name): text for name, text in pairs if isinstance(text, str)}


def _event_or_none(kind: str, payload: object) -> Event | None:
    try:
        return event_of(kind, payload)
    except UnindexableError:
        return None
