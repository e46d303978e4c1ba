"""The statements of the overview, and what their rows mean. Each reads what is not done, or an index alone."""

from typing import Any

from sqlalchemy import CTE, Row, Select, and_, case, cast, column, exists, func, null, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Text

from adapters.postgres.index_rows import IS_INDEXED
from adapters.postgres.program_rows import is_live
from adapters.postgres.tables import (
    IS_DEAD,
    IS_ON_ITS_WAY,
    IS_PENDING,
    IS_UNDELIVERABLE,
    NOW,
    documents,
    failures,
    indexed_documents,
    outbox,
    programs,
    uploads,
    vector_indexes,
    webhook_deliveries,
    webhooks,
)
from domain.document import DocumentState
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.operations import IndexStanding, OutboxCounts, RecordedFailure, WaitingDocument, WaitingEvent

IS_OF_LIVE_PROGRAM = and_(programs.c.pgm_id == documents.c.pgm_id, is_live(documents.c.revision))
_UNFINISHED = [state.value for state in DocumentState if not state.is_terminal]


def _outbox_counts() -> Select[Any]:
    is_due = outbox.c.next_attempt_at <= NOW
    pending = (
        select(
            func.count().label("pending"),
            func.count().filter(is_due).label("due"),
            func.count().filter(~is_due, outbox.c.lease_token.is_not(None)).label("leased"),
            func.min(outbox.c.created_at).label("oldest_pending"),
        )
        .where(IS_PENDING)
        .subquery("pending")
    )
    dead = select(func.count()).where(IS_DEAD).select_from(outbox).scalar_subquery()
    under_way = select(func.count()).where(uploads.c.taken_at.is_(None)).select_from(uploads).scalar_subquery()
    return select(pending, dead.label("dead"), under_way.label("uploads"), NOW.label("as_of"))


def _state_counts() -> Select[Any]:
    return (
        select(documents.c.state, func.count().label("how_many"))
        .join(programs, IS_OF_LIVE_PROGRAM)
        .group_by(documents.c.state)
    )


def _oldest_document() -> Select[Any]:
    """Of the documents that are not done, each with the newest event that names it at its generation.

    The first generation waits since it was registered: when its event is split, the halves are younger.
    """
    shown = ("pgm_id", "document_id", "document_name", "state", "generation", "create_dt")
    waiting = (
        select(*(documents.c[name] for name in shown))
        .join(programs, IS_OF_LIVE_PROGRAM)
        .where(documents.c.state.in_(_UNFINISHED))
        .cte("waiting")
    )
    events = _events_by_document()
    is_named = and_(
        events.c.document_id == waiting.c.document_id, events.c.generation == cast(waiting.c.generation, Text)
    )
    given = func.coalesce(events.c.created_at, waiting.c.create_dt)
    since = case((waiting.c.generation == 1, waiting.c.create_dt), else_=given).label("since")
    return (
        select(waiting, events.c.event_id, events.c.attempts, events.c.next_attempt_at, since)
        .add_columns(events.c.is_claimed, events.c.is_dead)
        .select_from(waiting.outerjoin(events, is_named))
        .order_by(since, waiting.c.document_id, events.c.event_id.desc())
        .limit(1)
    )


def _events_by_document() -> CTE:
    """A payload that cannot be read here names nobody."""
    listed = outbox.c.payload["documents"]
    if_readable = case((func.jsonb_typeof(listed) == "array", listed))
    named = func.jsonb_array_elements(if_readable).table_valued(column("ref", JSONB)).render_derived(name="named")
    return (
        select(
            named.c.ref[0].astext.label("document_id"),
            named.c.ref[1].astext.label("generation"),
            outbox.c.event_id,
            outbox.c.attempts,
            outbox.c.created_at,
            outbox.c.next_attempt_at,
            outbox.c.lease_token.is_not(None).label("is_claimed"),
            IS_DEAD.label("is_dead"),
        )
        .join_from(outbox, named, true())
        .where(IS_PENDING | IS_DEAD)
        .cte("events")
    )


def _index_standings() -> Select[Any]:
    """Documents are counted only for an index that is not complete."""
    is_held = exists().where(
        indexed_documents.c.index_id == vector_indexes.c.index_id,
        indexed_documents.c.document_id == documents.c.document_id,
        indexed_documents.c.generation == documents.c.generation,
    )
    held = (
        select(func.count())
        .select_from(documents)
        .where(IS_INDEXED, is_held.correlate(documents, vector_indexes))
        .correlate(vector_indexes)
        .scalar_subquery()
    )
    return select(
        vector_indexes,
        func.coalesce(vector_indexes.c.builder_until > NOW, False).label("is_building"),
        case((vector_indexes.c.is_complete, null()), else_=held).label("held"),
    ).order_by(vector_indexes.c.is_current.desc(), vector_indexes.c.index_id.desc())


def _webhook_counts() -> Select[Any]:
    deliveries = select(webhook_deliveries.c.delivery_id)
    pending = deliveries.where(IS_ON_ITS_WAY).subquery("on_their_way")
    dead = deliveries.where(IS_UNDELIVERABLE).subquery("dead")
    disabled = select(webhooks.c.webhook_id).where(webhooks.c.disabled_at.is_not(None)).subquery("disabled")
    return select(
        select(func.count()).select_from(pending).scalar_subquery().label("pending"),
        select(func.count()).select_from(dead).scalar_subquery().label("dead"),
        select(func.count()).select_from(disabled).scalar_subquery().label("disabled"),
    )


WEBHOOK_COUNTS = _webhook_counts()
OUTBOX_COUNTS = _outbox_counts()
STATE_COUNTS = _state_counts()
OLDEST_DOCUMENT = _oldest_document()
INDEX_STANDINGS = _index_standings()


def last_failure_of(document: Row[Any]) -> Select[Any]:
    """The newest entry of the history that names a document at its generation."""
    names_it = failures.c.documents.contains([[document.document_id, document.generation]])
    return (
        select(failures)
        .where(failures.c.pgm_id == document.pgm_id, names_it)
        .order_by(failures.c.failure_id.desc())
        .limit(1)
    )


def outbox_counts_of_row(row: Row[Any]) -> OutboxCounts:
    """The counts of a row of OUTBOX_COUNTS."""
    return OutboxCounts(
        pending=row.pending, due=row.due, leased=row.leased, dead=row.dead, oldest_pending=row.oldest_pending
    )


def waiting_document_of_row(row: Row[Any], last_failure: RecordedFailure | None) -> WaitingDocument:
    """The document of a row of OLDEST_DOCUMENT."""
    event = None
    if row.event_id is not None:
        event = WaitingEvent(
            event_id=row.event_id,
            attempts=row.attempts,
            next_attempt_dt=row.next_attempt_at,
            is_claimed=row.is_claimed,
            is_dead=row.is_dead,
        )
    return WaitingDocument(
        pgm_id=row.pgm_id,
        document_id=row.document_id,
        document_name=row.document_name,
        state=DocumentState(row.state),
        since=row.since,
        event=event,
        last_failure=last_failure,
    )


def index_standing_of_row(row: Row[Any], *, total: int) -> IndexStanding:
    """The index of a row of INDEX_STANDINGS."""
    model = EmbeddingModel(name=row.model_name, dimension=row.dimension)
    return IndexStanding(
        key=IndexKey(model=model, rendering_version=row.rendering_version),
        is_current=row.is_current,
        is_complete=row.is_complete,
        is_building=row.is_building,
        held=total if row.held is None else row.held,
        total=total,
    )
