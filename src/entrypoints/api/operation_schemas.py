"""The wire format of what whoever operates the service asks and is answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from application.retry_documents import Include
from domain.document import DocumentState
from domain.failures import Stage
from domain.ports.operations import WaitsFor
from entrypoints.api.identifiers import DOCUMENT_ID_PATTERN

MAX_NAMED = 1_000


class DocumentRefBody(Struct, kw_only=True, frozen=True):
    """A document at one generation: every upload, re-index and retry raises it."""

    document_id: str
    generation: int


class FailedAttemptBody(Struct, kw_only=True, frozen=True):
    """An attempt that failed for these documents; for good where it is final, else it was repeated.

    `title` says what to do in the caller's language, `message` what was noted.
    """

    documents: tuple[DocumentRefBody, ...]
    event_id: int
    attempt: int
    stage: Stage
    code: str
    title: str
    message: str
    final: bool
    failed_dt: datetime


class FailurePage(Struct, kw_only=True, frozen=True):
    """Failed attempts, newest first; `next` is the cursor of the following page, null at the end."""

    items: tuple[FailedAttemptBody, ...]
    next: str | None


class RetryRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which documents of a program are given back: those that are named, else all; of them what failed, or all."""

    document_ids: (
        Annotated[
            tuple[Annotated[str, Meta(pattern=DOCUMENT_ID_PATTERN)], ...], Meta(min_length=1, max_length=MAX_NAMED)
        ]
        | None
    ) = None
    include: Include = Include.FAILED


class RetriedBody(Struct, kw_only=True, frozen=True):
    """How many documents were given back to the workers, and where their indexing is told."""

    pgm_id: str
    document_count: int
    href: str


class RetryEverywhereRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is given back: the failed documents of all programs, or the events that are dead. `cursor` goes on."""

    include: Literal["failed", "dead"]
    cursor: Annotated[str, Meta(max_length=500)] | None = None


class RetriedPage(Struct, kw_only=True, frozen=True):
    """How many documents and events one page gave back; `next` is the cursor of the following one, null at the end."""

    document_count: int
    event_count: int
    next: str | None


class LastFailureBody(Struct, kw_only=True, frozen=True):
    """How the last attempt at a document failed."""

    stage: Stage
    code: str
    message: str
    failed_dt: datetime


class WaitingDocumentBody(Struct, kw_only=True, frozen=True):
    """The document that waits longest, and what for; the attempts are null where no event is left to try."""

    pgm_id: str
    document_id: str
    document_name: str
    state: DocumentState
    age_s: float
    waits_for: WaitsFor
    attempts: int | None
    next_attempt_dt: datetime | None
    last_failure: LastFailureBody | None


class OutboxBody(Struct, kw_only=True, frozen=True):
    """Events that are not done: those that wait, of them due or held by a worker now; those nobody tries any more."""

    pending: int
    due: int
    leased: int
    dead: int
    oldest_age_s: float | None


class IndexStandingBody(Struct, kw_only=True, frozen=True):
    """An index; `held` of the `total` indexed documents are in it."""

    model: str
    dimension: int
    rendering_version: int
    current: bool
    complete: bool
    building: bool
    held: int
    total: int


class WebhooksStandingBody(Struct, kw_only=True, frozen=True):
    """Deliveries that wait, those that nobody tries any more, and webhooks that are switched off."""

    pending: int
    dead: int
    disabled: int


DependencyState = Literal["unavailable", "misconfigured", "incomplete", "stopping", "limited"]


class DependencyBody(Struct, kw_only=True, frozen=True):
    """A dependency that is not ready, or not for everything: in one word, and for the scope admin in more."""

    dependency: str
    state: DependencyState
    text: str | None


class OperationsBody(Struct, kw_only=True, frozen=True):
    """How the service stands at one moment."""

    as_of_dt: datetime
    documents: Mapping[DocumentState, int]
    oldest: WaitingDocumentBody | None
    outbox: OutboxBody
    indexes: tuple[IndexStandingBody, ...]
    uploads: int
    webhooks: WebhooksStandingBody
    dependencies: tuple[DependencyBody, ...]
