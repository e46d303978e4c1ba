"""From what the operator is shown to the wire's structs."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from application.check_readiness import Limited, Waiting
from application.retry_everywhere import GivenBack
from domain.document import DocumentState
from domain.ports.catalogue import Page
from domain.ports.operations import IndexStanding, Overview, RecordedFailure, WaitingDocument
from entrypoints.api import operation_schemas as schemas
from entrypoints.api.languages import Language, failure_title


def failure_page(page: Page[RecordedFailure], language: Language) -> schemas.FailurePage:
    """A page of the history of failures."""
    return schemas.FailurePage(
        items=tuple(_failed_attempt_body(item, language) for item in page.items), next=page.next_cursor
    )


def retried_page(given_back: GivenBack) -> schemas.RetriedPage:
    """What one page gave back."""
    return schemas.RetriedPage(
        document_count=given_back.documents, event_count=given_back.events, next=given_back.next_cursor
    )


def operations_body(
    overview: Overview, found: Sequence[Waiting | Limited], *, tells_all: bool
) -> schemas.OperationsBody:
    """How the service stands; every state is named, those without documents too."""
    outbox, now = overview.outbox, overview.as_of
    return schemas.OperationsBody(
        as_of_dt=now,
        documents={state: overview.documents.get(state, 0) for state in DocumentState},
        oldest=_waiting_document_body(overview.oldest, now) if overview.oldest else None,
        outbox=schemas.OutboxBody(
            pending=outbox.pending,
            due=outbox.due,
            leased=outbox.leased,
            dead=outbox.dead,
            oldest_age_s=_age_s(outbox.oldest_pending, now) if outbox.oldest_pending else None,
        ),
        indexes=tuple(map(_index_standing_body, overview.indexes)),
        uploads=overview.uploads,
        webhooks=schemas.WebhooksStandingBody(
            pending=overview.webhooks.pending, dead=overview.webhooks.dead, disabled=overview.webhooks.disabled
        ),
        dependencies=tuple(
            schemas.DependencyBody(
                dependency=entry.dependency,
                state=cast("schemas.DependencyState", entry.state),
                text=entry.text if tells_all else None,
            )
            for entry in found
        ),
    )


def _failed_attempt_body(recorded: RecordedFailure, language: Language) -> schemas.FailedAttemptBody:
    attempt = recorded.attempt
    return schemas.FailedAttemptBody(
        documents=tuple(
            schemas.DocumentRefBody(document_id=ref.document_id, generation=ref.generation) for ref in attempt.documents
        ),
        event_id=attempt.event_id,
        attempt=attempt.attempt,
        stage=attempt.stage,
        code=attempt.failure.code,
        title=failure_title(attempt.failure.code, language),
        message=attempt.failure.message,
        final=attempt.is_final,
        failed_dt=recorded.failed_dt,
    )


def _waiting_document_body(document: WaitingDocument, now: datetime) -> schemas.WaitingDocumentBody:
    return schemas.WaitingDocumentBody(
        pgm_id=document.pgm_id,
        document_id=document.document_id,
        document_name=document.document_name,
        state=document.state,
        age_s=_age_s(document.since, now),
        waits_for=document.waits_for(now),
        attempts=document.event.attempts if document.event else None,
        next_attempt_dt=document.event.next_attempt_dt if document.event and not document.event.is_dead else None,
        last_failure=_last_failure_body(document.last_failure) if document.last_failure else None,
    )


def _last_failure_body(recorded: RecordedFailure) -> schemas.LastFailureBody:
    attempt = recorded.attempt
    return schemas.LastFailureBody(
        stage=attempt.stage, code=attempt.failure.code, message=attempt.failure.message, failed_dt=recorded.failed_dt
    )


def _index_standing_body(standing: IndexStanding) -> schemas.IndexStandingBody:
    return schemas.IndexStandingBody(
        model=standing.key.model.name,
        dimension=standing.key.model.dimension,
        rendering_version=standing.key.rendering_version,
        current=standing.is_current,
        complete=standing.is_complete,
        building=standing.is_building,
        held=standing.held,
        total=standing.total,
    )


def _age_s(since: datetime, now: datetime) -> float:
    """A document's registration is by the service's clock, which may be ahead of the database's."""
    return round(max(0.0, (now - since).total_seconds()), 1)
