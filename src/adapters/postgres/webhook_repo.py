"""WebhookRepo on Postgres."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.tables import NOW, webhook_deliveries, webhooks
from adapters.postgres.webhook_rows import WEBHOOK, burying, webhook_of_row
from domain.errors import ConflictError, NotFoundError
from domain.ports.webhook_repo import WebhookRepo
from domain.webhook import EventKind, NewWebhook, Webhook

_LOCK = "ladderbase webhooks"
_BY_AN_OPERATOR = "an operator switched it off"


class PostgresWebhookRepo(WebhookRepo):
    """A transaction for each call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, webhook: NewWebhook, *, at_most: int) -> Webhook:
        """See the port. Those who add at once wait for each other, so that each counts the last."""
        adding = insert(webhooks).values(
            webhook_id=webhook.webhook_id, url=webhook.url, kinds=sorted(webhook.kinds), secret=webhook.secret
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
                if (await connection.scalar(select(func.count()).select_from(webhooks)) or 0) >= at_most:
                    raise ConflictError(f"there are {at_most} webhooks already: remove one first")
                await connection.execute(adding)
                return await _webhook(connection, webhook.webhook_id)

    async def all(self) -> Sequence[Webhook]:
        """See the port."""
        with translated_errors():
            async with self._engine.connect() as connection:
                rows = await connection.execute(select(*WEBHOOK).order_by(webhooks.c.created_at, webhooks.c.webhook_id))
                return [webhook_of_row(row) for row in rows]

    async def change(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        kinds: frozenset[EventKind] | None = None,
        is_enabled: bool | None = None,
    ) -> Webhook:
        """See the port."""
        values: dict[str, object] = {}
        if url is not None:
            values["url"] = url
        if kinds is not None:
            values["kinds"] = sorted(kinds)
        if is_enabled is not None:
            values["disabled_at"] = null() if is_enabled else func.coalesce(webhooks.c.disabled_at, NOW)
            values["disabled_reason"] = (
                null() if is_enabled else func.coalesce(webhooks.c.disabled_reason, _BY_AN_OPERATOR)
            )
        with translated_errors():
            async with self._engine.begin() as connection:
                if values:
                    await connection.execute(update(webhooks).where(webhooks.c.webhook_id == webhook_id).values(values))
                if is_enabled is False:
                    await connection.execute(burying(webhook_id, reason=_BY_AN_OPERATOR))
                return await _webhook(connection, webhook_id)

    async def rotate(self, webhook_id: str, secret: str, *, former_signs_for: timedelta) -> Webhook:
        """See the port."""
        rotating = (
            update(webhooks)
            .where(webhooks.c.webhook_id == webhook_id)
            .values(secret=secret, former_secret=webhooks.c.secret, former_until=NOW + former_signs_for)
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                await connection.execute(rotating)
                return await _webhook(connection, webhook_id)

    async def remove(self, webhook_id: str) -> None:
        """See the port. What a transaction adds that saw it before is swept up."""
        with translated_errors():
            async with self._engine.begin() as connection:
                removed = await connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id))
                await connection.execute(
                    delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id)
                )
        if not removed.rowcount:
            raise NotFoundError("webhook", webhook_id)


async def _webhook(connection: AsyncConnection, webhook_id: str) -> Webhook:
    row = (await connection.execute(select(*WEBHOOK).where(webhooks.c.webhook_id == webhook_id))).first()
    if row is None:
        raise NotFoundError("webhook", webhook_id)
    return webhook_of_row(row)
