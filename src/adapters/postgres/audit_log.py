"""AuditLog on Postgres."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.tables import NOW, audits
from domain.ports.audit_log import AuditLog, AuditRecord


class PostgresAuditLog(AuditLog):
    """One row: whoever takes the turn changes it, and everybody else reads that it is taken."""

    def __init__(self, engine: AsyncEngine, *, name: str = "stores") -> None:
        self._engine = engine
        self._name = name

    async def take_turn(self, *, every: timedelta, lease: timedelta) -> bool:
        """See the port. Two that ask at once wait for each other, and the second reads the row anew."""
        is_recorded = func.coalesce(audits.c.ended_at >= audits.c.started_at, False)
        is_due = or_(
            and_(is_recorded, audits.c.started_at <= NOW - every),
            and_(~is_recorded, audits.c.started_at <= NOW - lease),
        )
        turn = (
            insert(audits)
            .values(name=self._name)
            .on_conflict_do_update(index_elements=[audits.c.name], set_={"started_at": NOW}, where=is_due)
            .returning(audits.c.name)
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                return (await connection.execute(turn)).first() is not None

    async def record(self, counts: Mapping[str, int]) -> None:
        """See the port."""
        with translated_errors():
            async with self._engine.begin() as connection:
                await connection.execute(
                    update(audits).where(audits.c.name == self._name).values(ended_at=NOW, counts=dict(counts))
                )

    async def last(self) -> AuditRecord | None:
        """See the port."""
        recorded = select(audits).where(audits.c.name == self._name, audits.c.ended_at.is_not(None))
        with translated_errors():
            async with self._engine.connect() as connection:
                row = (await connection.execute(recorded)).first()
        return None if row is None else AuditRecord(ended_at=row.ended_at, counts=row.counts)
