"""UploadLog on Postgres."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.document_rows import further_blobs
from adapters.postgres.tables import NOW, revisions, uploads
from domain.errors import ConflictError
from domain.ports.upload_log import UploadLog
from domain.registration import pgm_id_of, prefix_of, revision_prefix

_MOST_AT_ONCE = 1_000


class PostgresUploadLog(UploadLog):
    """Uploads under way, in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, prefix: str) -> None:
        """See the port. Raises ConflictError when the prefix is in use."""
        await self._connection.execute(insert(uploads).values(prefix=prefix))

    async def finish(self, prefix: str) -> None:
        """See the port."""
        finished = await self._connection.execute(
            delete(uploads).where(uploads.c.prefix == prefix, uploads.c.taken_at.is_(None)).returning(uploads.c.prefix)
        )
        if finished.first() is None:
            raise ConflictError(f"the upload under {prefix} is no longer under way")

    async def take_abandoned(self, *, older_than: timedelta) -> Sequence[str]:
        """See the port. The thousand oldest: whoever forgets them is given the next."""
        oldest = (
            select(uploads.c.prefix)
            .where(uploads.c.started_at < NOW - older_than)
            .order_by(uploads.c.started_at)
            .limit(_MOST_AT_ONCE)
            .with_for_update(skip_locked=True)
            .cte("oldest")
        )
        taken = await self._connection.scalars(
            update(uploads)
            .where(uploads.c.prefix == oldest.c.prefix)
            .values(taken_at=func.coalesce(uploads.c.taken_at, NOW))
            .returning(uploads.c.prefix)
        )
        return taken.all()

    async def take_unowned(self, prefix: str) -> bool:
        """See the port. Waits for an upload that is just ending, and only then looks whose the prefix is."""
        taken = await self._connection.execute(
            insert(uploads).values(prefix=prefix, taken_at=NOW).on_conflict_do_nothing().returning(uploads.c.prefix)
        )
        if taken.first() is None:
            return False
        pgm_id = pgm_id_of(prefix)
        recorded = await self._connection.scalars(select(revisions.c.revision).where(revisions.c.pgm_id == pgm_id))
        further = await self._connection.scalars(further_blobs([pgm_id]))
        owned = {*(revision_prefix(pgm_id, revision) for revision in recorded), *map(prefix_of, further)}
        if prefix not in owned:
            return True
        await self.forget(prefix)
        return False

    async def forget(self, prefix: str) -> None:
        """See the port. A prefix that is unknown, or was not taken, stays as it is."""
        await self._connection.execute(
            delete(uploads).where(uploads.c.prefix == prefix, uploads.c.taken_at.is_not(None))
        )
