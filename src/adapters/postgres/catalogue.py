"""Catalogue on Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    Row,
    ScalarSelect,
    Select,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import Text

from adapters.postgres.cursors import cursor_after, number_of, text_key_of
from adapters.postgres.document_rows import document_of_row, found_chunk_of_row
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.index_rows import IS_INDEXED, is_held_by, is_index
from adapters.postgres.overview_rows import OLDEST_DOCUMENT
from adapters.postgres.program_listing import cursor_after_program, is_after, is_wanted, ordered
from adapters.postgres.program_rows import is_live, is_of, program_of_row, select_template, template_of_rows
from adapters.postgres.statistics_rows import (
    TOTALS,
    document_totals_of_rows,
    oldest_of_row,
    program_totals_of_rows,
)
from adapters.postgres.tables import NOW, chunks, documents, programs, vector_indexes
from domain.chunking import RENDERING_VERSION
from domain.document import Document, DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.further.further_document import PROGRAM_ITSELF
from domain.index_key import IndexKey
from domain.ports.catalogue import (
    EVERY_PROGRAM,
    Catalogue,
    IndexView,
    Page,
    PendingRevision,
    ProgramFilter,
    ProgramSort,
    ProgramView,
    Statistics,
)
from domain.program import IndexingProgress
from domain.search import FoundChunk
from domain.template import Template
from domain.told import told

_IS_LIVE = programs.c.deleted_dt.is_(None)


class PostgresCatalogue(Catalogue):
    """Reads of one statement or one snapshot each, so that every answer is of one moment."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def programs(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        only: ProgramFilter = EVERY_PROGRAM,
        sort: ProgramSort = ProgramSort.NEWEST,
    ) -> Page[ProgramView]:
        """See the port. Where the newest come first, what registers meanwhile shows in no later page."""
        statement = ordered(_select_programs().where(*is_wanted(only)), sort).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(is_after(cursor, only, sort))
        rows = await self._rows(statement)
        return Page(
            items=tuple(_program_view(row) for row in rows[:limit]),
            next_cursor=cursor_after_program(rows[limit - 1], only, sort) if len(rows) > limit else None,
        )

    async def count_programs(self, only: ProgramFilter = EVERY_PROGRAM) -> int:
        """See the port."""
        (row,) = await self._rows(
            select(func.count().label("total")).select_from(programs).where(_IS_LIVE, *is_wanted(only))
        )
        return int(row.total)

    async def statistics(self) -> Statistics:
        """See the port. Two statements of one snapshot."""
        with translated_errors():
            async with self._engine.connect() as connection:
                snapshot = await connection.execution_options(isolation_level="REPEATABLE READ")
                totals = (await snapshot.execute(TOTALS)).all()
                oldest = (await snapshot.execute(OLDEST_DOCUMENT)).one_or_none()
                as_of = (await snapshot.execute(select(NOW))).scalar_one()
        return Statistics(
            as_of=as_of,
            programs=program_totals_of_rows(totals),
            documents=document_totals_of_rows(totals),
            oldest=oldest_of_row(oldest),
        )

    async def program(self, pgm_id: str) -> ProgramView:
        """See the port."""
        rows = await self._rows(_select_programs().where(programs.c.pgm_id == pgm_id))
        if not rows:
            raise NotFoundError("program", pgm_id)
        return _program_view(rows[0])

    async def documents(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, revision: int | None = None
    ) -> Page[Document]:
        """See the port. A cursor leads on in its own revision alone: another one's ordinals mean other documents."""
        listing = f"documents:{pgm_id}"
        of_cursor, ordinal = _document_key(cursor, listing) if cursor is not None else (None, None)
        after = [documents.c.ordinal > ordinal] if ordinal is not None else []
        wanted = programs.c.revision if revision is None else literal(revision)
        answering, found = await self._documents_of(pgm_id, wanted, *after, limit=limit + 1)
        shown = answering if revision is None else revision
        if of_cursor not in {None, shown}:
            message = told("this cursor belongs to another revision of the program: begin without it")
            raise InvalidRequestError("cursor", message)
        return Page(
            items=tuple(found[:limit]),
            next_cursor=cursor_after(listing, f"{shown},{found[limit - 1].ordinal}") if len(found) > limit else None,
        )

    async def document(self, document_id: str) -> Document:
        """See the port."""
        rows = await self._rows(
            select(documents)
            .join(programs, programs.c.pgm_id == documents.c.pgm_id)
            .where(documents.c.document_id == document_id, is_live(documents.c.revision))
        )
        if not rows:
            raise NotFoundError("document", document_id)
        return document_of_row(rows[0])

    async def template(self, pgm_id: str) -> Template:
        """See the port."""
        rows = await self._rows(select_template(pgm_id))
        if not rows:
            raise NotFoundError("program", pgm_id)
        return template_of_rows(rows)

    async def failures(self, pgm_id: str, *, limit: int) -> Sequence[Document]:
        """See the port."""
        is_failed = documents.c.state == DocumentState.FAILED.value
        _answering, failed = await self._documents_of(pgm_id, programs.c.latest_revision, is_failed, limit=limit)
        return failed

    async def visible_chunks(
        self, chunk_ids: Sequence[str], *, rendering_version: int = RENDERING_VERSION
    ) -> dict[str, FoundChunk]:
        """See the port. Of one snapshot: a search shows a document's old chunks or its new ones, never both."""
        rows = await self._rows(
            select(shown := _chunks_with_documents(chunk_ids, rendering_version))
            .join(
                programs,
                and_(programs.c.pgm_id == shown.c.pgm_id, is_of(programs.c.revision, shown.c.revision)),
            )
            .where(_IS_LIVE)
        )
        return {row.chunk_id: found_chunk_of_row(row) for row in rows}

    async def index(self, key: IndexKey) -> IndexView:
        """See the port. Documents are counted only while the index is built."""
        rows = await self._rows(select(vector_indexes.c.is_complete).where(is_index(key)))
        if rows and rows[0].is_complete:
            return IndexView(is_complete=True)
        (row,) = await self._rows(
            select(
                select(func.count()).where(IS_INDEXED).scalar_subquery().label("total"),
                select(func.count()).where(IS_INDEXED, is_held_by(key)).scalar_subquery().label("held"),
            )
        )
        return IndexView(is_complete=False, held=row.held, total=row.total)

    async def _documents_of(
        self, pgm_id: str, revision: ColumnElement[int], *conditions: ColumnElement[bool], limit: int
    ) -> tuple[int, list[Document]]:
        """They, and the revision that answers at that moment.

        The outer join tells a program without such documents (one row of NULLs) from no program (no row). Those of
        the revision and those of the program itself are each read in their order, as many as are asked for.
        """
        parts = (_in_order(part, conditions, limit) for part in (revision, literal(PROGRAM_ITSELF)))
        listed = union_all(*parts).lateral("listed")
        rows = await self._rows(
            select(programs.c.revision.label("answering"), listed)
            .select_from(programs.outerjoin(listed, true()))
            .where(programs.c.pgm_id == pgm_id, is_live(revision))
            .order_by(listed.c.ordinal)
            .limit(limit)
        )
        if not rows:
            raise NotFoundError("program", pgm_id)
        return rows[0].answering, [document_of_row(row) for row in rows if row.document_id is not None]

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with translated_errors():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
                return rows


def _document_key(cursor: str, listing: str) -> tuple[int, int]:
    """Revision and ordinal."""
    revision, _, ordinal = text_key_of(cursor, listing=listing).partition(",")
    return number_of(revision), number_of(ordinal)


def _chunks_with_documents(chunk_ids: Sequence[str], rendering_version: int) -> CTE:
    """The chunks asked for whose document is indexed at their generation.

    Step by step, materialized: without statistics, as on a young database or after a restore, the planner
    would begin at the programs and read every document there is.
    """
    wanted = bindparam("chunk_ids", list(chunk_ids), type_=ARRAY(Text))
    is_asked = and_(chunks.c.chunk_id == any_(wanted), chunks.c.rendering_version == rendering_version)
    asked = _materialized(select(chunks).where(is_asked), name="asked")
    is_current = and_(documents.c.document_id == asked.c.document_id, documents.c.generation == asked.c.generation)
    of_document = (documents.c[name] for name in ("pgm_id", "revision", "document_name", "document_type"))
    return _materialized(
        select(asked, *of_document).join(documents, is_current).where(documents.c.state == DocumentState.INDEXED.value),
        name="shown",
    )


def _in_order(revision: ColumnElement[int], conditions: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    of_revision = and_(documents.c.pgm_id == programs.c.pgm_id, documents.c.revision == revision, *conditions)
    return select(documents).where(of_revision).order_by(documents.c.ordinal).limit(limit).correlate(programs)


def _of(revision: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(documents.c.pgm_id == programs.c.pgm_id, is_of(revision, documents.c.revision))


def _materialized(statement: Select[Any], *, name: str) -> CTE:
    return statement.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


def _select_programs() -> Select[Any]:
    pending = case(
        (programs.c.latest_revision > programs.c.revision, _state_counts(programs.c.latest_revision)), else_=None
    )
    return select(
        programs, _state_counts(programs.c.revision).label("state_counts"), pending.label("pending_counts")
    ).where(_IS_LIVE)


def _state_counts(revision: ColumnElement[int]) -> ScalarSelect[Any]:
    """How many documents of a revision are in which state, as one JSON object beside the program's row."""
    counted = (
        select(documents.c.state, func.count().label("how_many"))
        .where(_of(revision))
        .group_by(documents.c.state)
        .correlate(programs)
        .subquery("counted")
    )
    return select(func.jsonb_object_agg(counted.c.state, counted.c.how_many)).select_from(counted).scalar_subquery()


def _program_view(row: Row[Any]) -> ProgramView:
    is_pending = row.latest_revision > row.revision
    return ProgramView(
        program=program_of_row(row),
        progress=_progress(row.state_counts),
        pending=PendingRevision(revision=row.latest_revision, progress=_progress(row.pending_counts))
        if is_pending
        else None,
    )


def _progress(counts: Mapping[str, int] | None) -> IndexingProgress:
    return IndexingProgress(counts={DocumentState(state): how_many for state, how_many in (counts or {}).items()})
