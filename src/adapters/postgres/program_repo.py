"""ProgramRepo on Postgres."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.many_rows import insert_of
from adapters.postgres.program_rows import (
    PGM_ID_PREFIX,
    row_of_program,
    rows_of_comments,
    rows_of_template,
    select_template,
    template_of_rows,
)
from adapters.postgres.tables import (
    NOW,
    chunks,
    device_comments,
    documents,
    pgm_number_seq,
    programs,
    revisions,
    template_rows,
)
from domain.comments import DeviceComments
from domain.errors import NotFoundError
from domain.ports.program_repo import ProgramRepo
from domain.program import Program, Registration
from domain.template import Template

_CHUNKS_PER_STATEMENT = 20_000


class PostgresProgramRepo(ProgramRepo):
    """Programs in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_pgm_id(self) -> str:
        """Draw from a sequence: no lock is held, and a rollback leaves a gap."""
        number = (await self._connection.execute(select(pgm_number_seq.next_value()))).scalar_one()
        return f"{PGM_ID_PREFIX}{number}"

    async def add(self, registration: Registration) -> None:
        """See the port. Raises ConflictError when the program is there already."""
        program = registration.program
        await self._connection.execute(insert_of(programs, [row_of_program(program)]))
        await self._connection.execute(insert_of(revisions, [_row_of_revision(program)]))
        if template := rows_of_template(registration):
            await self._connection.execute(insert_of(template_rows, template))
        if comments := rows_of_comments(registration):
            await self._connection.execute(insert_of(device_comments, comments))

    async def template_of(self, pgm_id: str) -> Template:
        """See the port."""
        rows = (await self._connection.execute(select_template(pgm_id))).all()
        if not rows:
            raise NotFoundError("program", pgm_id)
        return template_of_rows(rows)

    async def comments_of(self, pgm_id: str) -> DeviceComments:
        """See the port."""
        of_current_revision = (device_comments.c.pgm_id == programs.c.pgm_id) & (
            device_comments.c.revision == programs.c.revision
        )
        rows = await self._connection.execute(
            select(device_comments.c.device, device_comments.c.comment)
            .select_from(programs.outerjoin(device_comments, of_current_revision))
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .order_by(device_comments.c.ordinal)
        )
        found = rows.all()
        if not found:
            raise NotFoundError("program", pgm_id)
        return DeviceComments(by_device={row.device: row.comment for row in found if row.device is not None})

    async def delete(self, pgm_id: str) -> None:
        """See the port."""
        deleted = await self._connection.execute(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .values(deleted_dt=NOW)
            .returning(programs.c.pgm_id)
        )
        if deleted.first() is None:
            raise NotFoundError("program", pgm_id)
        # In the order in which the document repo locks them, or a worker and a delete could block each other.
        await self._connection.execute(
            select(documents.c.document_id)
            .where(documents.c.pgm_id == pgm_id)
            .order_by(documents.c.document_id)
            .with_for_update(key_share=True)
        )
        await self._connection.execute(
            update(documents).where(documents.c.pgm_id == pgm_id).values(generation=documents.c.generation + 1)
        )

    async def is_deleted(self, pgm_id: str) -> bool:
        """See the port. The tombstone stays for ever."""
        tombstones = select(programs.c.pgm_id).where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_not(None))
        return (await self._connection.execute(tombstones)).first() is not None

    async def purge(self, pgm_id: str) -> None:
        """See the port. A program that is not deleted stays as it is."""
        tombstone = await self._connection.execute(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_not(None))
            .values(purged_dt=func.coalesce(programs.c.purged_dt, NOW))
            .returning(programs.c.pgm_id)
        )
        if tombstone.first() is None:
            return
        await self._purge_chunks(pgm_id)
        # Takes documents, template rows and comments along.
        await self._connection.execute(delete(revisions).where(revisions.c.pgm_id == pgm_id))

    async def _purge_chunks(self, pgm_id: str) -> None:
        """In slices: a program of a million rungs must not outlast the statement timeout."""
        some = (
            select(chunks.c.chunk_id)
            .join(documents, documents.c.document_id == chunks.c.document_id)
            .where(documents.c.pgm_id == pgm_id)
            .limit(_CHUNKS_PER_STATEMENT)
        )
        removed = _CHUNKS_PER_STATEMENT
        while removed >= _CHUNKS_PER_STATEMENT:  # more, where a chunk is there in two renderings
            removed = (await self._connection.execute(delete(chunks).where(chunks.c.chunk_id.in_(some)))).rowcount


def _row_of_revision(program: Program) -> dict[str, object]:
    return {
        "pgm_id": program.pgm_id,
        "revision": program.revision,
        "create_user": program.details.create_user,
        "create_dt": program.update_dt,
    }
