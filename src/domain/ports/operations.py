"""The reads of whoever operates the service: frozen views of what failed and what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.document import DocumentState
from domain.failures import FailedAttempt
from domain.index_key import IndexKey
from domain.ports.catalogue import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFailure:
    """An entry of the history, and when it was recorded."""

    attempt: FailedAttempt
    failed_dt: datetime


class WaitsFor(StrEnum):
    """What must come before a document is done."""

    WORKER = "worker"
    WORK_UNDER_WAY = "work_under_way"
    NEXT_ATTEMPT = "next_attempt"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEvent:
    """An event that is not done. `next_attempt_dt` is also when the claim of whoever `is_claimed` by runs out."""

    event_id: int
    attempts: int
    next_attempt_dt: datetime
    is_claimed: bool
    is_dead: bool

    def waits_for(self, now: datetime) -> WaitsFor:
        """A dead one is tried again by nobody but an operator."""
        if self.is_dead:
            return WaitsFor.OPERATOR
        if self.next_attempt_dt <= now:
            return WaitsFor.WORKER
        return WaitsFor.WORK_UNDER_WAY if self.is_claimed else WaitsFor.NEXT_ATTEMPT


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDocument:
    """A document that is not done, the event that it waits for, and how that failed last at this generation.

    It waits since it was registered or given back. Without an event, nothing happens to it by itself.
    """

    pgm_id: str
    document_id: str
    document_name: str
    state: DocumentState
    since: datetime
    event: WaitingEvent | None
    last_failure: RecordedFailure | None

    def waits_for(self, now: datetime) -> WaitsFor:
        """What must come next."""
        return self.event.waits_for(now) if self.event else WaitsFor.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCounts:
    """Events that are not done: `pending` in all, of them `due` now and `leased` now; `dead` besides."""

    pending: int
    due: int
    leased: int
    dead: int
    oldest_pending: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCounts:
    """Deliveries that are on their way, and those that nobody tries any more; webhooks that are switched off."""

    pending: int = 0
    dead: int = 0
    disabled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStanding:
    """An index of the record. `held` of the `total` indexed documents are in it; in a complete one, all."""

    key: IndexKey
    is_current: bool
    is_complete: bool
    is_building: bool
    held: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How the service stands at one moment, by the database's clock."""

    as_of: datetime
    documents: Mapping[DocumentState, int]
    oldest: WaitingDocument | None
    outbox: OutboxCounts
    indexes: tuple[IndexStanding, ...]
    uploads: int
    webhooks: WebhookCounts = WebhookCounts()


class Operations(Protocol):
    """Deleted programs and their documents are unknown here. Raises UnavailableError like every port."""

    async def failures(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, document_id: str | None = None
    ) -> Page[RecordedFailure]:
        """The failures of a program, or those that concern one document of it, newest first.

        Raises NotFoundError for an unknown program, InvalidRequestError for a cursor it did not give out.
        """
        ...

    async def programs_with_failures(self, *, limit: int, cursor: str | None = None) -> Page[str]:
        """The programs of which documents have failed, oldest first. Raises InvalidRequestError as above."""
        ...

    async def overview(self) -> Overview:
        """Documents by state, the one that waits longest, the outbox, the indexes (the current one first), uploads."""
        ...
