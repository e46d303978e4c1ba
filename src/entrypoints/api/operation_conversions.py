"""From what the operator is shown to the wire's structs."""

from application.retry_everywhere import GivenBack
from domain.ports.catalogue import Page
from domain.ports.operations import RecordedFailure
from entrypoints.api import operation_schemas as schemas


def failure_page(page: Page[RecordedFailure]) -> schemas.FailurePage:
    """A page of the history of failures."""
    return schemas.FailurePage(items=tuple(map(_failed_attempt_body, page.items)), next=page.next_cursor)


def retried_page(given_back: GivenBack) -> schemas.RetriedPage:
    """What one page gave back."""
    return schemas.RetriedPage(
        document_count=given_back.documents, event_count=given_back.events, next=given_back.next_cursor
    )


def _failed_attempt_body(recorded: RecordedFailure) -> schemas.FailedAttemptBody:
    attempt = recorded.attempt
    return schemas.FailedAttemptBody(
        documents=tuple(
            schemas.DocumentRefBody(document_id=ref.document_id, generation=ref.generation) for ref in attempt.documents
        ),
        event_id=attempt.event_id,
        attempt=attempt.attempt,
        stage=attempt.stage,
        code=attempt.failure.code,
        message=attempt.failure.message,
        final=attempt.is_final,
        failed_dt=recorded.failed_dt,
    )
