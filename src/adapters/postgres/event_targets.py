"""What the events that are not done name: for it somebody is going to do something."""

from sqlalchemy import CTE, ColumnElement, Select, Text, case, cast, column, exists, func, literal, select, true
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables import IS_PENDING, outbox


def named_documents() -> CTE:
    """Ids and generations, both as text."""
    listed = outbox.c.payload["documents"]
    # An event whose payload nobody can read names nothing.
    readable = case((func.jsonb_typeof(listed) == "array", listed), else_=literal([], JSONB))
    named = func.jsonb_array_elements(readable).table_valued(column("reference", JSONB), name="named").render_derived()
    reference = named.c.reference
    return (
        select(reference[0].astext.label("document_id"), reference[1].astext.label("generation"))
        .select_from(outbox.join(named, true()))
        .where(IS_PENDING)
        .cte("named_documents")
    )


def is_to_be_purged(pgm_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether such an event purges a program."""
    return exists(_purges("program_deleted", pgm_id)).correlate_except(outbox)


def is_to_be_superseded(pgm_id: ColumnElement[str], revision: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether such an event purges a revision."""
    is_this = outbox.c.payload["revision"].astext == cast(revision, Text)
    return exists(_purges("revision_superseded", pgm_id).where(is_this)).correlate_except(outbox)


def _purges(kind: str, pgm_id: ColumnElement[str]) -> Select[tuple[int]]:
    return select(outbox.c.event_id).where(
        IS_PENDING, outbox.c.kind == kind, outbox.c.payload["pgm_id"].astext == pgm_id
    )
