"""Backlog on Postgres."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Float, Select, cast, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.tables import (
    IS_DEAD,
    IS_ON_ITS_WAY,
    IS_PENDING,
    IS_UNDELIVERABLE,
    NOW,
    outbox,
    webhook_deliveries,
)
from domain.ports.backlog import Backlog, DeliveryBacklog, KindBacklog


class PostgresBacklog(Backlog):
    """A statement each over the partial indexes of what is pending and of what is dead."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def by_kind(self) -> Sequence[KindBacklog]:
        """See the port."""
        with translated_errors():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(BACKLOG)).all()
        return [
            KindBacklog(
                kind=row.kind,
                due=row.due,
                leased=row.leased,
                delayed=row.pending - row.due - row.leased,
                dead=row.dead,
                oldest_age_s=row.oldest_age_s,
            )
            for row in rows
        ]

    async def deliveries(self) -> DeliveryBacklog:
        """See the port."""
        with translated_errors():
            async with self._engine.connect() as connection:
                row = (await connection.execute(DELIVERIES)).one()
        return DeliveryBacklog(pending=row.pending, dead=row.dead)


def _deliveries() -> Select[Any]:
    counted = select(func.count()).select_from(webhook_deliveries)
    return select(
        counted.where(IS_ON_ITS_WAY).scalar_subquery().label("pending"),
        counted.where(IS_UNDELIVERABLE).scalar_subquery().label("dead"),
    )


def _backlog() -> Select[Any]:
    is_due = outbox.c.next_attempt_at <= NOW
    age = cast(func.extract("epoch", NOW - func.min(outbox.c.created_at)), Float)
    pending = (
        select(
            outbox.c.kind,
            func.count().label("pending"),
            func.count().filter(is_due).label("due"),
            func.count().filter(~is_due, outbox.c.lease_token.is_not(None)).label("leased"),
            literal(0).label("dead"),
            age.label("oldest_age_s"),
        )
        .where(IS_PENDING)
        .group_by(outbox.c.kind)
    )
    none = [literal(0).label(name) for name in ("pending", "due", "leased")]
    dead = (
        select(outbox.c.kind, *none, func.count().label("dead"), cast(null(), Float).label("oldest_age_s"))
        .where(IS_DEAD)
        .group_by(outbox.c.kind)
    )
    both = union_all(pending, dead).subquery("both")
    # The sum of Postgres' counts is a numeric, which comes as a Decimal.
    sums = [cast(func.sum(both.c[name]), BigInteger).label(name) for name in ("pending", "due", "leased", "dead")]
    return (
        select(both.c.kind, *sums, func.max(both.c.oldest_age_s).label("oldest_age_s"))
        .group_by(both.c.kind)
        .order_by(both.c.kind)
    )


BACKLOG = _backlog()
DELIVERIES = _deliveries()
