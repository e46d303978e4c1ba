"""Operations in memory, over what the in-memory unit of work committed."""

from collections import Counter

from domain.document import Document, DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.events import DocumentsRegistered
from domain.index_key import IndexKey
from domain.ports.catalogue import Page
from domain.ports.operations import (
    IndexStanding,
    Operations,
    OutboxCounts,
    Overview,
    RecordedFailure,
    WaitingDocument,
    WaitingEvent,
    WebhookCounts,
)
from domain.told import told
from fakes.registry import InMemoryRegistry, Tables


class InMemoryOperations(Operations):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry
        self._cursors: dict[str, tuple[object, int]] = {}

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def failures(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, document_id: str | None = None
    ) -> Page[RecordedFailure]:
        if self._tables.live(pgm_id) is None:
            raise NotFoundError("program", pgm_id)
        listing = (pgm_id, document_id)
        before = self._key_of(cursor, listing)
        mine = {
            failure_id: recorded
            for failure_id, recorded in self._tables.failures.items()
            if recorded.attempt.pgm_id == pgm_id
            and (document_id is None or document_id in {ref.document_id for ref in recorded.attempt.documents})
            and (before is None or failure_id < before)
        }
        newest = sorted(mine, reverse=True)
        return Page(
            items=tuple(mine[failure_id] for failure_id in newest[:limit]),
            next_cursor=self._cursor_after(newest[limit - 1], listing) if len(newest) > limit else None,
        )

    async def programs_with_failures(self, *, limit: int, cursor: str | None = None) -> Page[str]:
        after = self._key_of(cursor, "failed") or 0
        failed = {
            int(document.pgm_id.removeprefix("PGM_"))
            for document in self._tables.documents.values()
            if document.state is DocumentState.FAILED and self._tables.is_live(document)
        }
        numbers = sorted(number for number in failed if number > after)
        return Page(
            items=tuple(f"PGM_{number}" for number in numbers[:limit]),
            next_cursor=self._cursor_after(numbers[limit - 1], "failed") if len(numbers) > limit else None,
        )

    async def overview(self) -> Overview:
        now, tables = self._registry.clock(), self._tables
        live = [document for document in tables.documents.values() if tables.is_live(document)]
        unfinished = [self._waiting(document) for document in live if not document.state.is_terminal]
        pending = [event for event in tables.events.values() if event.is_pending]
        return Overview(
            as_of=now,
            documents=dict(Counter(document.state for document in live)),
            oldest=min(unfinished, key=lambda document: (document.since, document.document_id), default=None),
            outbox=OutboxCounts(
                pending=len(pending),
                due=sum(event.due <= now for event in pending),
                leased=sum(event.due > now and event.lease_token is not None for event in pending),
                dead=sum(event.is_dead for event in tables.events.values()),
                oldest_pending=min((event.created for event in pending), default=None),
            ),
            indexes=tuple(
                self._standing(key)
                for key in sorted(tables.indexes, key=lambda key: not tables.indexes[key].is_current)
            ),
            uploads=sum(not upload.is_taken for upload in tables.uploads.values()),
            webhooks=WebhookCounts(
                pending=sum(row.is_on_its_way for row in tables.deliveries.values()),
                dead=sum(row.dead is not None for row in tables.deliveries.values()),
                disabled=sum(not stored.webhook.is_enabled for stored in tables.webhooks.values()),
            ),
        )

    def _waiting(self, document: Document) -> WaitingDocument:
        naming = [
            (event_id, row)
            for event_id, row in self._tables.events.items()
            if row.done is None and isinstance(row.event, DocumentsRegistered) and document.ref in row.event.documents
        ]
        event_id, row = max(naming, default=(0, None), key=lambda each: each[0])
        failed = [each for each in self._tables.failures.values() if document.ref in each.attempt.documents]
        return WaitingDocument(
            pgm_id=document.pgm_id,
            document_id=document.document_id,
            document_name=document.document_name,
            state=document.state,
            since=row.created if row and document.generation > 1 else document.create_dt,
            event=None
            if row is None
            else WaitingEvent(
                event_id=event_id,
                attempts=row.attempts,
                next_attempt_dt=row.due,
                is_claimed=row.lease_token is not None,
                is_dead=row.is_dead,
            ),
            last_failure=failed[-1] if failed else None,
        )

    def _standing(self, key: IndexKey) -> IndexStanding:
        stored, indexed = self._tables.indexes[key], self._tables.indexed()
        return IndexStanding(
            key=key,
            is_current=stored.is_current,
            is_complete=stored.is_complete,
            is_building=stored.builder_until is not None and stored.builder_until > self._registry.clock(),
            held=len(indexed) if stored.is_complete else sum(self._tables.holds(key, each) for each in indexed),
            total=len(indexed),
        )

    def _key_of(self, cursor: str | None, listing: object) -> int | None:
        if cursor is None:
            return None
        given_for, key = self._cursors.get(cursor, (None, 0))
        if given_for != listing:
            raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
        return key

    def _cursor_after(self, key: int, listing: object) -> str:
        cursor = f"cursor-{len(self._cursors)}"
        self._cursors[cursor] = (listing, key)
        return cursor
