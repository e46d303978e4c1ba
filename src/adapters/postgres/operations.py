"""Operations on Postgres."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.cursors import cursor_after, key_of
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.failure_rows import failure_of_row
from adapters.postgres.overview_rows import (
    INDEX_STANDINGS,
    IS_OF_LIVE_PROGRAM,
    OLDEST_DOCUMENT,
    OUTBOX_COUNTS,
    STATE_COUNTS,
    WEBHOOK_COUNTS,
    index_standing_of_row,
    last_failure_of,
    outbox_counts_of_row,
    waiting_document_of_row,
)
from adapters.postgres.tables import documents, failures, programs
from domain.document import DocumentState
from domain.errors import NotFoundError
from domain.ports.catalogue import Page
from domain.ports.operations import Operations, Overview, RecordedFailure, WaitingDocument, WebhookCounts

_FAILED = "failed"


class PostgresOperations(Operations):
    """Reads of what goes on."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def failures(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, document_id: str | None = None
    ) -> Page[RecordedFailure]:
        """See the port. The outer join tells a program without failures (a row of NULLs) from no program (no row)."""
        listing = f"failures:{pgm_id}:{document_id or ''}"
        conditions = [failures.c.pgm_id == programs.c.pgm_id]
        if cursor is not None:
            conditions.append(failures.c.failure_id < key_of(cursor, listing=listing))
        if document_id is not None:
            conditions.append(failures.c.documents.contains([[document_id]]))
        rows = await self._rows(
            select(failures)
            .select_from(programs.outerjoin(failures, and_(*conditions)))
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .order_by(failures.c.failure_id.desc())
            .limit(limit + 1)
        )
        if not rows:
            raise NotFoundError("program", pgm_id)
        return Page(
            items=tuple(failure_of_row(row) for row in rows[:limit] if row.failure_id is not None),
            next_cursor=cursor_after(listing, rows[limit - 1].failure_id) if len(rows) > limit else None,
        )

    async def programs_with_failures(self, *, limit: int, cursor: str | None = None) -> Page[str]:
        """See the port."""
        after = 0 if cursor is None else key_of(cursor, listing=_FAILED)
        has_failed = exists().where(documents.c.state == DocumentState.FAILED.value, IS_OF_LIVE_PROGRAM)
        rows = await self._rows(
            select(programs.c.pgm_id, programs.c.pgm_number)
            .where(programs.c.pgm_number > after, has_failed.correlate(programs))
            .order_by(programs.c.pgm_number)
            .limit(limit + 1)
        )
        return Page(
            items=tuple(row.pgm_id for row in rows[:limit]),
            next_cursor=cursor_after(_FAILED, rows[limit - 1].pgm_number) if len(rows) > limit else None,
        )

    async def overview(self) -> Overview:
        """See the port. Six statements at most, of one snapshot."""
        with translated_errors():
            async with self._engine.connect() as connection:
                snapshot = await connection.execution_options(isolation_level="REPEATABLE READ")
                counts = (await snapshot.execute(OUTBOX_COUNTS)).one()
                counted = await snapshot.execute(STATE_COUNTS)
                states = {DocumentState(row.state): int(row.how_many) for row in counted}
                indexes = await snapshot.execute(INDEX_STANDINGS)
                oldest = await _oldest(snapshot)
                told = (await snapshot.execute(WEBHOOK_COUNTS)).one()
        return Overview(
            as_of=counts.as_of,
            documents=states,
            oldest=oldest,
            outbox=outbox_counts_of_row(counts),
            indexes=tuple(index_standing_of_row(row, total=states.get(DocumentState.INDEXED, 0)) for row in indexes),
            uploads=counts.uploads,
            webhooks=WebhookCounts(pending=told.pending, dead=told.dead, disabled=told.disabled),
        )

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with translated_errors():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
                return rows


async def _oldest(snapshot: AsyncConnection) -> WaitingDocument | None:
    document = (await snapshot.execute(OLDEST_DOCUMENT)).one_or_none()
    if document is None:
        return None
    failure = (await snapshot.execute(last_failure_of(document))).one_or_none()
    return waiting_document_of_row(document, failure_of_row(failure) if failure else None)
