"""What was decided and must still be done elsewhere: the facts that the outbox carries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.document import DocumentRef

DOCUMENTS_PER_EVENT = 64
RUNGS_PER_EVENT = 4_000

LEASE = timedelta(seconds=30)
"""How long a worker holds an event without a sign of life; a heartbeat renews it every third of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsRegistered:
    """These documents of a program are to be indexed, at these generations."""

    pgm_id: str
    documents: tuple[DocumentRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramDeleted:
    """The program is gone from every answer; its vectors, blobs and rows are to be purged."""

    pgm_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSuperseded:
    """A newer revision has taken the place of this one; its vectors, blobs and rows are to be purged."""

    pgm_id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsRemoved:
    """These documents at these generations are gone from every answer; vectors and the blobs below are to be purged."""

    pgm_id: str
    documents: tuple[DocumentRef, ...]
    prefix: str


Event = DocumentsRegistered | DocumentsRemoved | ProgramDeleted | RevisionSuperseded


class EventKind(StrEnum):
    """What events are called where they are kept, counted and spoken of; the values are stable."""

    DOCUMENTS_REGISTERED = "documents_registered"
    DOCUMENTS_REMOVED = "documents_removed"
    PROGRAM_DELETED = "program_deleted"
    REVISION_SUPERSEDED = "revision_superseded"

    @staticmethod
    def of(event: Event) -> "EventKind":
        """The kind of an event."""
        return _KINDS[type(event)]


_KINDS: Mapping[type, EventKind] = {
    DocumentsRegistered: EventKind.DOCUMENTS_REGISTERED,
    DocumentsRemoved: EventKind.DOCUMENTS_REMOVED,
    ProgramDeleted: EventKind.PROGRAM_DELETED,
    RevisionSuperseded: EventKind.REVISION_SUPERSEDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedEvent:
    """An event under a lease: whoever holds `lease_token` works on it until the lease runs out.

    One that `is_rescued` was held by another before, whose lease ran out.
    """

    event_id: int
    lease_token: str
    is_rescued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedEvent:
    """A claimed event whose work has begun. `attempts` counts this start too.

    `origin` is what whoever recorded it wrote of where it comes from, for those who look on.
    """

    event_id: int
    lease_token: str
    attempts: int
    event: Event
    origin: Mapping[str, str] = field(default_factory=dict)


def batched(sized: Sequence[tuple[DocumentRef, int]], *, pgm_id: str) -> Iterator[DocumentsRegistered]:
    """Spread documents (each with its number of rungs) over events that one worker finishes in seconds.

    A document larger than RUNGS_PER_EVENT stands alone.
    """
    batch: list[DocumentRef] = []
    rungs = 0
    for ref, size in sized:
        if batch and (len(batch) == DOCUMENTS_PER_EVENT or rungs + size > RUNGS_PER_EVENT):
            yield DocumentsRegistered(pgm_id=pgm_id, documents=tuple(batch))
            batch, rungs = [], 0
        batch.append(ref)
        rungs += size
    if batch:
        yield DocumentsRegistered(pgm_id=pgm_id, documents=tuple(batch))


def halves(event: DocumentsRegistered) -> tuple[DocumentsRegistered, DocumentsRegistered]:
    """Split an event of several documents, so that a poison document ends up alone."""
    middle = len(event.documents) // 2
    return (
        DocumentsRegistered(pgm_id=event.pgm_id, documents=event.documents[:middle]),
        DocumentsRegistered(pgm_id=event.pgm_id, documents=event.documents[middle:]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Capped doubling delays. The defaults outlast 15 minutes of outage before an event is dead.

    The longest is how long work may stand still once a dependency is back, for nobody tells that it is.
    """

    max_attempts: int = 85
    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(seconds=15)

    def delay_after(self, attempts: int, *, jitter: float, asked: timedelta | None = None) -> timedelta:
        """The pause after this many attempts; `jitter` in [0, 1) shortens it by up to a quarter.

        Not shorter than `asked` for by whoever failed, as long as that is no longer than the longest.
        """
        doubled = self.first_delay * (1 << min(attempts - 1, 16))
        delay = min(doubled, self.longest_delay) * (1 - jitter / 4)
        return max(delay, min(asked, self.longest_delay)) if asked else delay

    def is_exhausted(self, attempts: int) -> bool:
        """Whether no further attempt is due."""
        return attempts >= self.max_attempts
