"""The system of record in memory: the tables that the fakes of the repositories and the catalogue share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Self

from domain.chunk import Chunk
from domain.document import Document, DocumentRef, DocumentState
from domain.errors import InvalidRequestError
from domain.events import DocumentsRegistered, DocumentsRemoved, Event, ProgramDeleted, RevisionSuperseded
from domain.further.further_document import PROGRAM_ITSELF
from domain.idempotency import IdempotencyKey, KeptAnswer
from domain.index_key import IndexKey
from domain.ports.operations import RecordedFailure
from domain.program import Program, Registration
from domain.registration import prefix_of, revision_prefix
from domain.told import told
from domain.uses import Use
from domain.webhook import Occurrence, Webhook


class ManualClock:
    """The database's clock, moved by the test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    async def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProgram:
    """`parts` has what each revision that is not purged consists of, but for its documents."""

    program: Program
    parts: Mapping[int, Registration]
    latest_revision: int
    drawn_revision: int
    drawn_document: int = 0
    is_deleted: bool = False

    def is_live(self, revision: int) -> bool:
        return not self.is_deleted and revision in {PROGRAM_ITSELF, self.program.revision, self.latest_revision}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    event: Event | None
    due: datetime
    created: datetime
    attempts: int = 0
    lease_token: str | None = None
    done: datetime | None = None
    is_dead: bool = False
    is_newer: bool = False
    last_error: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        return self.done is None and not self.is_dead


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpload:
    started_at: datetime
    is_taken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    kept: KeptAnswer
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIndex:
    is_current: bool = False
    is_complete: bool = False
    builder: str | None = None
    builder_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWebhook:
    webhook: Webhook
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDelivery:
    webhook_id: str
    occurrence: Occurrence
    run: str
    due: datetime
    attempts: int = 0
    lease_token: str | None = None
    done: datetime | None = None
    dead: datetime | None = None
    last_error: str = ""
    is_newer: bool = False

    @property
    def is_on_its_way(self) -> bool:
        return self.done is None and self.dead is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUses:
    """`uses` has the rung's ordinal and what it does, by number; a test that plays an upgrade changes the version."""

    generation: int
    uses_version: int
    use_count: int | None
    uses: Mapping[int, tuple[int, Use]]
    is_unreadable: bool = False


@dataclass(slots=True, kw_only=True)
class Tables:
    """Rows are frozen, so that a shallow copy is a snapshot."""

    programs: dict[str, StoredProgram] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    chunks: dict[tuple[DocumentRef, int], tuple[Chunk, ...]] = field(default_factory=dict)  # by rendering, too
    uses: dict[str, StoredUses] = field(default_factory=dict)  # by document
    indexes: dict[IndexKey, StoredIndex] = field(default_factory=dict)
    held: dict[tuple[IndexKey, str], int] = field(default_factory=dict)  # index and document -> generation
    events: dict[int, StoredEvent] = field(default_factory=dict)
    uploads: dict[str, StoredUpload] = field(default_factory=dict)
    answers: dict[IdempotencyKey, StoredAnswer] = field(default_factory=dict)
    failures: dict[int, RecordedFailure] = field(default_factory=dict)
    webhooks: dict[str, StoredWebhook] = field(default_factory=dict)
    deliveries: dict[str, StoredDelivery] = field(default_factory=dict)

    def copy(self) -> Self:
        return replace(self, **{each.name: dict(getattr(self, each.name)) for each in fields(self)})

    def live(self, pgm_id: str) -> StoredProgram | None:
        program = self.programs.get(pgm_id)
        return program if program and not program.is_deleted else None

    def indexed(self) -> list[Document]:
        """What searches may find, now or once its revision answers."""
        return [
            document
            for document in self.documents.values()
            if document.state is DocumentState.INDEXED and self.is_live(document)
        ]

    def prefixes(self) -> set[str]:
        """Those of the revisions that are not purged, and of what belongs to programs themselves."""
        further = {prefix_of(each.blob_key) for each in self.documents.values() if each.revision == PROGRAM_ITSELF}
        return further | {
            revision_prefix(pgm_id, revision) for pgm_id, stored in self.programs.items() for revision in stored.parts
        }

    def moving(self) -> set[DocumentRef]:
        """What events that are not done name."""
        events = (stored.event for stored in self.events.values() if stored.is_pending)
        return {
            ref
            for event in events
            if isinstance(event, DocumentsRegistered | DocumentsRemoved)
            for ref in event.documents
        }

    def to_be_purged(self) -> set[str]:
        """The programs that events that are not done purge."""
        events = (stored.event for stored in self.events.values() if stored.is_pending)
        return {event.pgm_id for event in events if isinstance(event, ProgramDeleted)}

    def to_be_superseded(self) -> set[tuple[str, int]]:
        """The revisions that events that are not done purge."""
        events = (stored.event for stored in self.events.values() if stored.is_pending)
        return {(event.pgm_id, event.revision) for event in events if isinstance(event, RevisionSuperseded)}

    def holds(self, key: IndexKey, document: Document) -> bool:
        return self.held.get((key, document.document_id)) == document.generation

    def is_live(self, document: Document) -> bool:
        program = self.live(document.pgm_id)
        return program is not None and program.is_live(document.revision)

    def is_visible(self, document: Document) -> bool:
        program = self.live(document.pgm_id)
        return program is not None and document.revision in {PROGRAM_ITSELF, program.program.revision}


class InMemoryRegistry:
    """What is committed, and the counters that no rollback turns back."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.committed = Tables()
        self.pgm_numbers = count(1)
        self.event_ids = count(1)
        self.failure_ids = count(1)
        self.use_ids = count(1)
        self.claimed_rows: set[int] = set()
        self.origin: Callable[[], Mapping[str, str]] = dict

    def commit(self, changed: Tables, *, since: Tables) -> None:
        """Take over the rows that one transaction changed since its snapshot."""
        for each in fields(Tables):
            _merge(getattr(self.committed, each.name), getattr(changed, each.name), getattr(since, each.name))


def _merge(committed: dict[Any, Any], changed: Mapping[Any, Any], since: Mapping[Any, Any]) -> None:
    for key in changed.keys() | since.keys():
        if changed.get(key) is since.get(key):
            continue
        if committed.get(key) is not since.get(key):
            raise AssertionError(f"two open transactions changed {key!r}: Postgres would have made one of them wait")
        if key in changed:
            committed[key] = changed[key]
        else:
            del committed[key]


def refuse_unstorable(value: object) -> None:
    """What Postgres refuses: U+0000 and halves of characters."""
    for text in _texts(value):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise InvalidRequestError("text", told("this text cannot be kept"), code="text_invalid")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))
    elif isinstance(value, Mapping):
        yield from _texts(list(value.items()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
