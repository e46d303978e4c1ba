"""Failed attempts as rows and back."""

from typing import Any

from sqlalchemy import Row

from adapters.postgres.diagnostics import legible
from adapters.postgres.many_rows import Row as NewRow
from domain.document import DocumentRef, Failure
from domain.failures import FailedAttempt, Stage
from domain.ports.operations import RecordedFailure


def row_of_attempt(attempt: FailedAttempt) -> NewRow:
    """A row of `failures`."""
    return {
        "pgm_id": attempt.pgm_id,
        "documents": [[ref.document_id, ref.generation] for ref in attempt.documents],
        "event_id": attempt.event_id,
        "attempt": attempt.attempt,
        "stage": attempt.stage.value,
        "code": attempt.failure.code,
        "message": legible(attempt.failure.message),
        "is_final": attempt.is_final,
    }


def failure_of_row(row: Row[Any]) -> RecordedFailure:
    """An entry of a row that holds all columns of `failures`."""
    refs = (DocumentRef(document_id=document_id, generation=generation) for document_id, generation in row.documents)
    attempt = FailedAttempt(
        pgm_id=row.pgm_id,
        documents=tuple(refs),
        event_id=row.event_id,
        attempt=row.attempt,
        stage=Stage(row.stage),
        failure=Failure(code=row.code, message=row.message),
        is_final=row.is_final,
    )
    return RecordedFailure(attempt=attempt, failed_dt=row.failed_dt)
