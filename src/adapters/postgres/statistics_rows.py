"""The statements of the statistics, and what their rows mean. Documents are read in one index alone, once."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import CompoundSelect, Row, and_, case, func, literal, select, union_all

from adapters.postgres.program_rows import is_live, is_of
from adapters.postgres.tables import documents, programs
from domain.document import DocumentState
from domain.ports.catalogue import DocumentTotals, OldestWaiting
from domain.program import ProgramStatus

_UNFINISHED = [state.value for state in DocumentState if not state.is_terminal]
_PROGRAMS, _DOCUMENTS = "programs", "documents"


def _totals() -> CompoundSelect[Any]:
    """A row for each state of documents, and one for each status of programs, which has no chunks and no size."""
    counted = (
        select(
            documents.c.pgm_id,
            documents.c.revision,
            documents.c.state,
            func.count().label("how_many"),
            func.sum(documents.c.chunk_count).label("chunks"),
            func.sum(documents.c.size_bytes).label("size_bytes"),
        )
        .group_by(documents.c.state, documents.c.pgm_id, documents.c.revision)
        .cte("counted")
    )
    is_of_program = counted.c.pgm_id == programs.c.pgm_id
    of_documents = (
        select(
            literal(_DOCUMENTS).label("kind"),
            counted.c.state.label("name"),
            func.sum(counted.c.how_many).label("how_many"),
            func.sum(counted.c.chunks).label("chunks"),
            func.sum(counted.c.size_bytes).label("size_bytes"),
        )
        .join(programs, and_(is_of_program, is_live(counted.c.revision)))
        .group_by(counted.c.state)
    )
    status = (  # as IndexingProgress derives it
        select(
            case(
                (func.bool_or(counted.c.state.in_(_UNFINISHED)), ProgramStatus.INDEXING.value),
                (func.bool_or(counted.c.state == DocumentState.FAILED.value), ProgramStatus.FAILED.value),
                else_=ProgramStatus.INDEXED.value,
            ).label("status")
        )
        .select_from(programs.outerjoin(counted, and_(is_of_program, is_of(programs.c.revision, counted.c.revision))))
        .where(programs.c.deleted_dt.is_(None))
        .group_by(programs.c.pgm_id)
        .subquery("status")
    )
    of_programs = select(literal(_PROGRAMS), status.c.status, func.count(), literal(0), literal(0)).group_by(
        status.c.status
    )
    return union_all(of_documents, of_programs)


TOTALS = _totals()


def program_totals_of_rows(rows: Iterable[Row[Any]]) -> Mapping[ProgramStatus, int]:
    """The programs in the rows of TOTALS."""
    return {ProgramStatus(row.name): int(row.how_many) for row in rows if row.kind == _PROGRAMS}


def document_totals_of_rows(rows: Iterable[Row[Any]]) -> Mapping[DocumentState, DocumentTotals]:
    """The documents in the rows of TOTALS."""
    return {
        DocumentState(row.name): DocumentTotals(
            documents=int(row.how_many), chunks=int(row.chunks), size_bytes=int(row.size_bytes)
        )
        for row in rows
        if row.kind == _DOCUMENTS
    }


def oldest_of_row(row: Row[Any] | None) -> OldestWaiting | None:
    """The document of a row of OLDEST_DOCUMENT."""
    if row is None:
        return None
    return OldestWaiting(pgm_id=row.pgm_id, document_id=row.document_id, since=row.since)
