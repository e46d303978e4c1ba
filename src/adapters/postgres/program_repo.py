"""ProgramRepo on Postgres."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.many_rows import insert_of
from adapters.postgres.program_rows import (
    PGM_ID_PREFIX,
    is_as_seen,
    is_live,
    program_of_row,
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
    device_uses,
    documents,
    failures,
    pgm_number_seq,
    programs,
    revisions,
    template_rows,
    used_documents,
)
from domain.comments import DeviceComments
from domain.document import DocumentState, DocumentType
from domain.errors import ConflictError, NotFoundError
from domain.ports.program_repo import ProgramRepo
from domain.program import DetailChanges, LatestRevision, Program, Registration
from domain.registration import UPLOADED_TYPES
from domain.template import Template

_CHUNKS_PER_STATEMENT = 20_000


class PostgresProgramRepo(ProgramRepo):
    """Programs in the transaction of one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_pgm_id(self, *, skip: int = 0) -> str:
        """Draw from a sequence: no lock is held, and a rollback leaves a gap.

        What is skipped is drawn too: to set a sequence forward is no single step, and another may have drawn meanwhile.
        """
        numbers = select(pgm_number_seq.next_value().label("number")).select_from(func.generate_series(0, skip).alias())
        number = await self._connection.scalar(select(func.max(numbers.subquery().c.number)))
        return f"{PGM_ID_PREFIX}{number}"

    async def add(self, registration: Registration) -> None:
        """See the port. Raises ConflictError when the program is there already."""
        program = registration.program
        await self._connection.execute(insert_of(programs, [row_of_program(program)]))
        await self._add_parts(registration)

    async def latest(self, pgm_id: str) -> LatestRevision:
        """See the port."""
        files = and_(
            documents.c.pgm_id == programs.c.pgm_id,
            documents.c.revision == programs.c.latest_revision,
            documents.c.document_type.in_([kind.value for kind in UPLOADED_TYPES]),
        )
        rows = (
            await self._connection.execute(
                select(programs, documents.c.document_type, documents.c.sha256)
                .select_from(programs.outerjoin(documents, files))
                .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            )
        ).all()
        if not rows:
            raise NotFoundError("program", pgm_id)
        sha256 = {DocumentType(row.document_type): row.sha256 for row in rows if row.document_type is not None}
        return LatestRevision(program=program_of_row(rows[0]), revision=rows[0].latest_revision, sha256=sha256)

    async def draw_revision(self, pgm_id: str, *, skip: int = 0) -> int:
        """See the port."""
        drawn = await self._connection.scalars(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .values(drawn_revision=programs.c.drawn_revision + 1 + skip)
            .returning(programs.c.drawn_revision)
        )
        return _number_of(pgm_id, drawn.one_or_none())

    async def draw_document(self, pgm_id: str, *, skip: int = 0) -> int:
        """See the port."""
        drawn = await self._connection.scalars(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .values(drawn_document=programs.c.drawn_document + 1 + skip)
            .returning(programs.c.drawn_document)
        )
        return _number_of(pgm_id, drawn.one_or_none())

    async def add_revision(self, registration: Registration) -> Sequence[int]:
        """See the port. The program's row is locked: two uploads at once come one after the other."""
        program = registration.program
        row = (
            await self._connection.execute(
                select(programs.c.revision, programs.c.latest_revision)
                .where(programs.c.pgm_id == program.pgm_id, programs.c.deleted_dt.is_(None))
                .with_for_update(key_share=True)
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("program", program.pgm_id)
        await self._add_parts(registration)
        if program.revision < row.latest_revision:
            return [program.revision]
        await self._connection.execute(
            update(programs).where(programs.c.pgm_id == program.pgm_id).values(latest_revision=program.revision)
        )
        return [row.latest_revision] if row.latest_revision > row.revision else []

    async def hold_pending(self, pgm_id: str) -> None:
        """See the port. The program before its documents, as deletes and retries lock them."""
        await self._lock_pending(pgm_id)

    async def promote(self, pgm_id: str) -> int | None:
        """See the port. Where nothing waits to answer, as is the rule, nothing is locked."""
        waiting = await self._lock_pending(pgm_id)
        if waiting is None:
            return None
        # A statement of its own: it sees what those have committed whom the lock made us wait for.
        is_unfinished = exists().where(
            documents.c.pgm_id == pgm_id,
            documents.c.revision == waiting.latest_revision,
            documents.c.state.not_in([DocumentState.INDEXED.value, DocumentState.SKIPPED.value]),
        )
        promoted = await self._connection.execute(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, ~is_unfinished)
            .values(revision=programs.c.latest_revision, update_dt=NOW)
            .returning(programs.c.pgm_id)
        )
        return None if promoted.first() is None else int(waiting.revision)

    async def _lock_pending(self, pgm_id: str) -> Row[int, int] | None:
        found = await self._connection.execute(
            select(programs.c.revision, programs.c.latest_revision)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .where(programs.c.latest_revision > programs.c.revision)
            .with_for_update(key_share=True)
        )
        return found.one_or_none()

    async def _add_parts(self, registration: Registration) -> None:
        await self._connection.execute(insert_of(revisions, [_row_of_revision(registration.program)]))
        if template := rows_of_template(registration):
            await self._connection.execute(insert_of(template_rows, template))
        if comments := rows_of_comments(registration):
            await self._connection.execute(insert_of(device_comments, comments))

    async def amend(self, pgm_id: str, changes: DetailChanges, *, seen: Program | None = None) -> Program:
        """See the port. One statement compares and sets: of two at once the second finds what the first has made."""
        is_living = and_(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
        amended = await self._connection.execute(
            update(programs)
            .where(is_living, *(is_as_seen(seen) if seen else ()))
            .values(update_dt=NOW, **changes.named())
            .returning(programs)
        )
        row = amended.one_or_none()
        if row is not None:
            return program_of_row(row)
        if (await self._connection.execute(select(programs.c.pgm_id).where(is_living))).first() is None:
            raise NotFoundError("program", pgm_id)
        raise ConflictError("the program is not as it was seen")

    async def template_of(self, pgm_id: str, revision: int) -> Template:
        """See the port."""
        rows = (await self._connection.execute(select_template(pgm_id, revision))).all()
        if not rows:
            raise NotFoundError("program", pgm_id)
        return template_of_rows(rows)

    async def comments_of(self, pgm_id: str, revision: int) -> DeviceComments:
        """See the port."""
        of_revision = and_(device_comments.c.pgm_id == programs.c.pgm_id, device_comments.c.revision == revision)
        rows = await self._connection.execute(
            select(device_comments.c.device, device_comments.c.comment)
            .select_from(programs.outerjoin(device_comments, of_revision))
            .where(programs.c.pgm_id == pgm_id, is_live(literal(revision)))
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

    async def is_gone(self, pgm_id: str, revision: int) -> bool:
        """See the port. The tombstone stays for ever."""
        has_gone_by = or_(programs.c.deleted_dt.is_not(None), programs.c.latest_revision > revision)
        gone = select(programs.c.pgm_id).where(programs.c.pgm_id == pgm_id, ~is_live(literal(revision)), has_gone_by)
        return (await self._connection.execute(gone)).first() is not None

    async def purge(self, pgm_id: str) -> None:
        """See the port. A program that is not deleted stays as it is."""
        # Whoever records a failure holds the row until its commit: afterwards nothing of the program is recorded.
        await self._connection.execute(select(programs.c.pgm_id).where(programs.c.pgm_id == pgm_id).with_for_update())
        tombstone = await self._connection.execute(
            update(programs)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_not(None))
            .values(purged_dt=func.coalesce(programs.c.purged_dt, NOW))
            .returning(programs.c.pgm_id)
        )
        if tombstone.first() is None:
            return
        await self._purge_chunks(documents.c.pgm_id == pgm_id)
        await self._purge_uses(documents.c.pgm_id == pgm_id)
        # Takes documents, template rows and comments along.
        await self._connection.execute(delete(revisions).where(revisions.c.pgm_id == pgm_id))
        await self._connection.execute(delete(failures).where(failures.c.pgm_id == pgm_id))

    async def purge_revision(self, pgm_id: str, revision: int) -> None:
        """See the port."""
        superseded = await self._connection.execute(
            select(programs.c.pgm_id)
            .where(programs.c.pgm_id == pgm_id, ~is_live(literal(revision)))
            .with_for_update(key_share=True)
        )
        if superseded.first() is None:
            return
        of_revision = (documents.c.pgm_id == pgm_id) & (documents.c.revision == revision)
        await self._purge_chunks(of_revision)
        await self._purge_uses(of_revision)
        await self._connection.execute(
            delete(revisions).where(revisions.c.pgm_id == pgm_id, revisions.c.revision == revision)
        )

    async def _purge_chunks(self, of_documents: ColumnElement[bool]) -> None:
        """In slices: a program of a million rungs must not outlast the statement timeout."""
        some = (
            select(chunks.c.chunk_id)
            .join(documents, documents.c.document_id == chunks.c.document_id)
            .where(of_documents)
            .limit(_CHUNKS_PER_STATEMENT)
        )
        removed = _CHUNKS_PER_STATEMENT
        while removed >= _CHUNKS_PER_STATEMENT:  # more, where a chunk is there in two renderings
            removed = (await self._connection.execute(delete(chunks).where(chunks.c.chunk_id.in_(some)))).rowcount

    async def _purge_uses(self, of_documents: ColumnElement[bool]) -> None:
        """In slices as well: a document of many rungs has several uses for each."""
        some = (
            select(device_uses.c.set_id, device_uses.c.use_id)
            .join(used_documents, used_documents.c.set_id == device_uses.c.set_id)
            .join(documents, documents.c.document_id == used_documents.c.document_id)
            .where(of_documents)
            .limit(_CHUNKS_PER_STATEMENT)
        )
        is_among = tuple_(device_uses.c.set_id, device_uses.c.use_id).in_(some)
        removed = _CHUNKS_PER_STATEMENT
        while removed == _CHUNKS_PER_STATEMENT:
            removed = (await self._connection.execute(delete(device_uses).where(is_among))).rowcount


def _number_of(pgm_id: str, drawn: int | None) -> int:
    if drawn is None:
        raise NotFoundError("program", pgm_id)
    return drawn


def _row_of_revision(program: Program) -> dict[str, object]:
    return {
        "pgm_id": program.pgm_id,
        "revision": program.revision,
        "create_user": program.details.create_user,
        "create_dt": program.update_dt,
    }
