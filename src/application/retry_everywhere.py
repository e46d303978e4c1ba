"""Give back what failed everywhere, page by page: documents of any program, and events that were buried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.retry_documents import RetryCommand, RetryDocuments
from domain.document import DocumentRef, DocumentState
from domain.errors import NotFoundError
from domain.events import DocumentsRegistered
from domain.ports.deliveries import Deliveries
from domain.ports.operations import Operations
from domain.ports.unit_of_work import UnitOfWork

PROGRAMS_AT_ONCE = 20
EVENTS_AT_ONCE = 200
DELIVERIES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """What one page gave back; `next_cursor` asks for the following one, None at the end."""

    documents: int
    events: int = 0
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFailed:
    """The failed documents of all programs, those of a program in one transaction."""

    operations: Operations
    retry_documents: RetryDocuments

    async def __call__(self, cursor: str | None = None) -> GivenBack:
        """One page. What fails again behind the cursor is not met twice. Raises InvalidRequestError for a cursor."""
        page = await self.operations.programs_with_failures(limit=PROGRAMS_AT_ONCE, cursor=cursor)
        given_back = 0
        for pgm_id in page.items:
            try:
                given_back += await self.retry_documents(RetryCommand(pgm_id=pgm_id))
            except NotFoundError:
                continue  # deleted since the page was read
        return GivenBack(documents=given_back, next_cursor=page.next_cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviveDead:
    """The events that nobody tries any more: a new version may read them, and what they met may be mended.

    An event of documents that failed has nothing left to do for them: they are given back with events of their own.
    """

    unit_of_work: UnitOfWork
    deliveries: Deliveries

    async def __call__(self, cursor: str | None = None) -> GivenBack:
        """One page, in one transaction; with the last one, what webhooks were not told. Raises InvalidRequestError."""
        async with self.unit_of_work.begin() as transaction:
            page = await transaction.outbox.revive(limit=EVENTS_AT_ONCE, cursor=cursor)
            of_documents = [event for event in page.items if isinstance(event, DocumentsRegistered)]
            # All in one call: it locks them in their order, whatever the order of the events.
            restarted = await transaction.documents.restart(
                [ref for event in of_documents for ref in event.documents], states={DocumentState.FAILED}
            )
            await transaction.outbox.add(list(_events_again(of_documents, restarted)))
        told_again = 0 if page.next_cursor else await self.deliveries.revive(limit=DELIVERIES_AT_ONCE)
        return GivenBack(documents=len(restarted), events=len(page.items) + told_again, next_cursor=page.next_cursor)


def _events_again(
    events: Sequence[DocumentsRegistered], restarted: Sequence[DocumentRef]
) -> Iterator[DocumentsRegistered]:
    """Each restarted document in one event, however many of the dead ones named it."""
    left = {ref.document_id: ref for ref in restarted}
    for event in events:
        named = [left.pop(ref.document_id, None) for ref in event.documents]
        if again := tuple(ref for ref in named if ref is not None):
            yield DocumentsRegistered(pgm_id=event.pgm_id, documents=again)
