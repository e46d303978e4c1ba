"""Announcements on Postgres."""

from sqlalchemy import String, any_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.progress import select_standing, standing_of_rows
from adapters.postgres.tables import programs, webhook_deliveries, webhooks
from domain.ports.announcements import Announcements
from domain.program import ProgramStatus
from domain.webhook import EventKind

_IS_ENABLED = webhooks.c.disabled_at.is_(None)


class PostgresAnnouncements(Announcements):
    """Deliveries in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def registered(self, pgm_id: str, revision: int) -> None:
        """See the port."""
        status = ProgramStatus.INDEXING.value
        await self._announce(EventKind.REGISTERED, pgm_id, revision, status=status, run=f"r{revision}")

    async def deleted(self, pgm_id: str) -> None:
        """See the port. The row of the program stays as a tombstone."""
        latest = await self._connection.scalar(select(programs.c.latest_revision).where(programs.c.pgm_id == pgm_id))
        kind = EventKind.DELETED
        await self._announce(kind, pgm_id, int(latest or 1), status=kind.value, run=kind.value)

    async def hold(self, pgm_id: str) -> None:
        """See the port. The program before its documents, as deletes and retries lock them."""
        if await self._connection.scalar(select(exists().where(_IS_ENABLED))):
            await self._connection.execute(
                select(programs.c.pgm_id).where(programs.c.pgm_id == pgm_id).with_for_update(key_share=True)
            )

    async def ended(self, pgm_id: str) -> None:
        """See the port. What is read here, a statement of its own, was committed by those whom `hold` waited for."""
        await self.hold(pgm_id)
        rows = (await self._connection.execute(select_standing(pgm_id))).all()
        standing = standing_of_rows(pgm_id, rows)
        if standing is None or not standing.has_ended:
            return
        kind = EventKind(standing.state.value)
        await self._announce(kind, pgm_id, standing.revision, status=kind.value, run=standing.run)

    async def _announce(self, kind: EventKind, pgm_id: str, revision: int, *, status: str, run: str) -> None:
        wants_it = _IS_ENABLED & (literal(kind.value) == any_(webhooks.c.kinds))
        wanted = (
            select(
                literal("msg_") + func.replace(func.gen_random_uuid().cast(String), "-", ""),
                webhooks.c.webhook_id,
                literal(kind.value),
                programs.c.pgm_id,
                programs.c.pgm_name,
                literal(revision),
                literal(status),
                literal(run),
            )
            .select_from(programs.join(webhooks, wants_it))
            .where(programs.c.pgm_id == pgm_id)
        )
        columns = ["delivery_id", "webhook_id", "kind", "pgm_id", "pgm_name", "revision", "status", "run"]
        await self._connection.execute(insert(webhook_deliveries).from_select(columns, wanted).on_conflict_do_nothing())
