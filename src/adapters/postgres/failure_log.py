"""FailureLog on Postgres."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, any_, bindparam, delete, func, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.failure_rows import failure_of_row, row_of_attempt
from adapters.postgres.many_rows import as_table
from adapters.postgres.tables import failures, programs
from domain.events import StartedEvent
from domain.failures import FailedAttempt
from domain.ports.failure_log import FailureLog

_NEWEST = 20_000
"""How many entries, the newest, name the programs whose histories are looked at: more than come in between two sweeps.
What is left out nevertheless has its turn when its program fails again."""


class PostgresFailureLog(FailureLog):
    """Failures in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def record(self, attempts: Sequence[FailedAttempt]) -> None:
        """See the port. A purge waits for whoever records, so that nothing is recorded after it."""
        if not attempts:
            return
        rows = [row_of_attempt(attempt) for attempt in attempts]
        incoming = as_table({name: [row[name] for row in rows] for name in rows[0]}, like=failures)
        live = (
            select(programs.c.pgm_id)
            .where(programs.c.pgm_id.in_({attempt.pgm_id for attempt in attempts}), programs.c.deleted_dt.is_(None))
            .with_for_update(read=True, key_share=True)
            .cte("live")
        )
        of_the_living = select(incoming).join(live, live.c.pgm_id == incoming.c.pgm_id)
        await self._connection.execute(insert(failures).from_select(list(rows[0]), of_the_living))

    async def record_once(self, attempt: FailedAttempt) -> None:
        """See the port. Nobody else records of an event while it is held."""
        newest = await self._connection.execute(
            select(failures)
            .where(failures.c.pgm_id == attempt.pgm_id, failures.c.event_id == attempt.event_id)
            .order_by(failures.c.failure_id.desc())
            .limit(1)
        )
        row = newest.one_or_none()
        if row is None or not attempt.repeats(failure_of_row(row).attempt):
            await self.record([attempt])

    async def told_attempts(self, started: StartedEvent) -> int:
        """See the port."""
        told = select(func.count(failures.c.attempt.distinct())).where(
            failures.c.pgm_id == started.event.pgm_id,
            failures.c.event_id == started.event_id,
            failures.c.attempt < started.attempts,
        )
        return (await self._connection.execute(told)).scalar_one()

    async def trim(self, *, keep: int, limit: int) -> int:
        """See the port. Only a program that failed lately can have become crowded since the last time."""
        newest = select(failures.c.pgm_id).order_by(failures.c.failure_id.desc()).limit(_NEWEST).subquery("newest")
        lately = select(newest.c.pgm_id).distinct().subquery("lately")
        one_too_many = (
            select(failures.c.failure_id)
            .where(failures.c.pgm_id == lately.c.pgm_id)
            .order_by(failures.c.failure_id)
            .offset(keep)
            .limit(1)
        )
        crowded = select(lately.c.pgm_id).where(one_too_many.exists()).subquery("crowded")
        order = func.row_number().over(order_by=[failures.c.is_final.desc(), failures.c.failure_id.desc()])
        ranked = (
            select(failures.c.failure_id, order.label("place"))
            .where(failures.c.pgm_id == crowded.c.pgm_id)
            .lateral("ranked")  # one history at a time: joined, the planner would read the whole table
        )
        surplus = (
            select(ranked.c.failure_id)
            .select_from(crowded.join(ranked, true()))
            .where(ranked.c.place > keep)
            .order_by(ranked.c.place.desc())
            .limit(limit)
        )
        # Deleted by their ids, in a statement of its own, for the same reason.
        ids = bindparam("ids", (await self._connection.scalars(surplus)).all(), type_=ARRAY(BigInteger))
        removed = await self._connection.execute(delete(failures).where(failures.c.failure_id == any_(ids)))
        return removed.rowcount
