"""Webhooks and deliveries as rows and back."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Update, case, update

from adapters.postgres.tables import IS_ON_ITS_WAY, NOW, webhook_deliveries, webhooks
from domain.webhook import Delivery, EventKind, Occurrence, Webhook

_FORMER = case((webhooks.c.former_until > NOW, webhooks.c.former_secret)).label("signing_too")
WEBHOOK: tuple[ColumnElement[Any], ...] = (*webhooks.c, _FORMER)
"""The columns that webhook_of_row reads."""


def webhook_of_row(row: Row[Any]) -> Webhook:
    """A subscription. A kind that only a newer version knows is left out."""
    return Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        kinds=frozenset(EventKind(kind) for kind in row.kinds if kind in set(EventKind)),
        secrets=tuple(secret for secret in (row.secret, row.signing_too) if secret is not None),
        created_at=row.created_at,
        is_enabled=row.disabled_at is None,
        reason=row.disabled_reason or "",
    )


def delivery_of_row(row: Row[Any], webhook: Webhook) -> Delivery:
    """A delivery under its lease."""
    occurrence = Occurrence(
        kind=EventKind(row.kind),
        pgm_id=row.pgm_id,
        pgm_name=row.pgm_name,
        revision=row.revision,
        status=row.status,
        occurred_at=row.created_at,
    )
    return Delivery(
        delivery_id=row.delivery_id,
        lease_token=row.lease_token,
        attempts=row.attempts,
        webhook=webhook,
        occurrence=occurrence,
    )


def burying(webhook_id: str, *, reason: str) -> Update:
    """All that is on its way to a webhook is dead."""
    return (
        update(webhook_deliveries)
        .where(webhook_deliveries.c.webhook_id == webhook_id, IS_ON_ITS_WAY)
        .values(dead_at=NOW, lease_token=None, last_error=reason)
    )
