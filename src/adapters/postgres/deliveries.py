"""Deliveries on Postgres."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Text, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.diagnostics import legible
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.tables import IS_ON_ITS_WAY, IS_UNDELIVERABLE, NOW, webhook_deliveries, webhooks
from adapters.postgres.webhook_rows import WEBHOOK, burying, delivery_of_row, webhook_of_row
from domain.errors import ConflictError
from domain.ports.deliveries import Deliveries
from domain.webhook import Delivery, EventKind

_ROW = webhook_deliveries.c
_IS_KNOWN = _ROW.kind.in_([kind.value for kind in EventKind])
_IS_DUE = and_(IS_ON_ITS_WAY, _ROW.next_attempt_at <= NOW, _IS_KNOWN)
_OF_ENABLED = and_(webhooks.c.webhook_id == _ROW.webhook_id, webhooks.c.disabled_at.is_(None))


class PostgresDeliveries(Deliveries):
    """A transaction for each call. As in the outbox, `next_attempt_at` is when a lease ends too."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self) -> Sequence[str]:
        """See the port."""
        due = select(_ROW.webhook_id).join(webhooks, _OF_ENABLED).where(_IS_DUE).distinct().order_by(_ROW.webhook_id)
        with translated_errors():
            async with self._engine.connect() as connection:
                return list(await connection.scalars(due))

    async def claim(self, webhook_id: str, limit: int, *, lease: timedelta) -> Sequence[Delivery]:
        """See the port. What another worker is claiming is passed over."""
        due = (
            select(_ROW.delivery_id)
            .where(_ROW.webhook_id == webhook_id, _IS_DUE)
            .order_by(_ROW.next_attempt_at, _ROW.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        taking = (
            update(webhook_deliveries)
            .where(_ROW.delivery_id == due.c.delivery_id)
            .values(lease_token=func.gen_random_uuid(), next_attempt_at=NOW + lease, attempts=_ROW.attempts + 1)
            .returning(webhook_deliveries)
        )
        enabled = select(*WEBHOOK).where(webhooks.c.webhook_id == webhook_id, webhooks.c.disabled_at.is_(None))
        with translated_errors():
            async with self._engine.begin() as connection:
                row = (await connection.execute(enabled)).first()
                if row is None:
                    return []
                webhook = webhook_of_row(row)
                return [delivery_of_row(taken, webhook) for taken in await connection.execute(taking)]

    async def delivered(self, delivery: Delivery) -> None:
        """See the port."""
        await self._end(delivery, done_at=NOW)

    async def postpone(self, delivery: Delivery, *, delay: timedelta, reason: str) -> None:
        """See the port."""
        await self._end(delivery, next_attempt_at=NOW + delay, last_error=legible(reason))

    async def bury(self, delivery: Delivery, *, reason: str) -> None:
        """See the port."""
        await self._end(delivery, dead_at=NOW, last_error=legible(reason))

    async def switch_off(self, delivery: Delivery, *, reason: str) -> None:
        """See the port."""
        webhook_id = delivery.webhook.webhook_id
        with translated_errors():
            async with self._engine.begin() as connection:
                # The webhook before its deliveries: of several that are answered so at once, one would else wait
                # for the other's delivery, and that one for the webhook.
                await connection.execute(
                    select(webhooks.c.webhook_id).where(webhooks.c.webhook_id == webhook_id).with_for_update()
                )
                await _change_held(connection, delivery, dead_at=NOW, last_error=reason)
                await connection.execute(
                    update(webhooks)
                    .where(webhooks.c.webhook_id == webhook_id, webhooks.c.disabled_at.is_(None))
                    .values(disabled_at=NOW, disabled_reason=reason)
                )
                await connection.execute(burying(webhook_id, reason=reason))

    async def bury_unknown(self, *, due_before: timedelta) -> int:
        """See the port. Never begun: a newer worker has tried what it found, and waits for a receiver that is away."""
        is_left = and_(IS_ON_ITS_WAY, ~_IS_KNOWN, _ROW.attempts == 0, _ROW.next_attempt_at < NOW - due_before)
        reason = "no worker knows what it is about"
        with translated_errors():
            async with self._engine.begin() as connection:
                buried = await connection.execute(
                    update(webhook_deliveries).where(is_left).values(dead_at=NOW, last_error=reason)
                )
                return buried.rowcount

    async def revive(self, *, limit: int) -> int:
        """See the port."""
        dead = (
            select(_ROW.delivery_id)
            .where(IS_UNDELIVERABLE, exists().where(_OF_ENABLED))
            .order_by(_ROW.dead_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        reviving = (
            update(webhook_deliveries)
            .where(_ROW.delivery_id.in_(dead))
            .values(dead_at=None, attempts=0, next_attempt_at=NOW)
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                return (await connection.execute(reviving)).rowcount

    async def forget(self, *, done_before: timedelta, dead_before: timedelta, limit: int) -> int:
        """See the port."""
        old = or_(
            _ROW.done_at < NOW - done_before,
            _ROW.dead_at < NOW - dead_before,
            IS_ON_ITS_WAY & ~exists().where(webhooks.c.webhook_id == _ROW.webhook_id),
        )
        some = select(_ROW.delivery_id).where(old).limit(limit).with_for_update(skip_locked=True)
        with translated_errors():
            async with self._engine.begin() as connection:
                forgetting = delete(webhook_deliveries).where(_ROW.delivery_id.in_(some))
                return (await connection.execute(forgetting)).rowcount

    async def _end(self, delivery: Delivery, **values: object) -> None:
        with translated_errors():
            async with self._engine.begin() as connection:
                await _change_held(connection, delivery, **values)


async def _change_held(connection: AsyncConnection, delivery: Delivery, **values: object) -> None:
    """Change the row only where the token still holds it."""
    changed = await connection.execute(
        update(webhook_deliveries)
        .where(
            _ROW.delivery_id == delivery.delivery_id,
            _ROW.lease_token.cast(Text) == delivery.lease_token,
            IS_ON_ITS_WAY,
        )
        .values(lease_token=None, **values)
    )
    if not changed.rowcount:
        raise ConflictError(f"the lease of delivery {delivery.delivery_id} has ended")
