"""The wire format of what whoever operates the service asks and is answered."""

from datetime import datetime

from msgspec import Struct

from domain.failures import Stage


class DocumentRefBody(Struct, kw_only=True, frozen=True):
    """A document at one generation: every upload, re-index and retry raises it."""

    document_id: str
    generation: int


class FailedAttemptBody(Struct, kw_only=True, frozen=True):
    """An attempt that failed for these documents; for good where it is final, else it was repeated."""

    documents: tuple[DocumentRefBody, ...]
    event_id: int
    attempt: int
    stage: Stage
    code: str
    message: str
    final: bool
    failed_dt: datetime


class FailurePage(Struct, kw_only=True, frozen=True):
    """Failed attempts, newest first; `next` is the cursor of the following page, null at the end."""

    items: tuple[FailedAttemptBody, ...]
    next: str | None
