"""Operations in memory, over what the in-memory unit of work committed."""

from domain.document import DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.ports.catalogue import Page
from domain.ports.operations import Operations, RecordedFailure
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
            if document.state is DocumentState.FAILED and self._tables.is_of_current_revision(document)
        }
        numbers = sorted(number for number in failed if number > after)
        return Page(
            items=tuple(f"PGM_{number}" for number in numbers[:limit]),
            next_cursor=self._cursor_after(numbers[limit - 1], "failed") if len(numbers) > limit else None,
        )

    def _key_of(self, cursor: str | None, listing: object) -> int | None:
        if cursor is None:
            return None
        given_for, key = self._cursors.get(cursor, (None, 0))
        if given_for != listing:
            raise InvalidRequestError("cursor", "this cursor was not given out for this listing")
        return key

    def _cursor_after(self, key: int, listing: object) -> str:
        cursor = f"cursor-{len(self._cursors)}"
        self._cursors[cursor] = (listing, key)
        return cursor
