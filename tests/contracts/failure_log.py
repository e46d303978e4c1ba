"""What every FailureLog promises; read back through the operations of the same record."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.records import a_document, delete, documents_registered, register, rolled_back
from domain.document import DocumentRef, Failure
from domain.errors import InvalidRequestError, NotFoundError
from domain.events import StartedEvent
from domain.failures import FailedAttempt, Stage
from domain.ports.operations import Operations
from domain.ports.unit_of_work import UnitOfWork


class FailureLogContract:
    """Needs the fixtures `unit_of_work` and `operations`, both over one record."""

    async def test_a_failure_comes_back_as_it_went_in(self, unit_of_work: UnitOfWork, operations: Operations) -> None:
        await register(unit_of_work)
        passing = a_failed_attempt(stage=Stage.EMBED, failure=Failure(code="unavailable", message="응답 없음"))
        final = replace(passing, attempt=30).final_for(a_document(1, generation=4).ref)
        await record(unit_of_work, passing, final)
        newest, oldest = (await operations.failures("PGM_1", limit=10)).items
        assert (oldest.attempt, newest.attempt) == (passing, final)
        assert newest.failed_dt.tzinfo is not None

    async def test_text_that_cannot_be_kept_is_made_legible(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await record(unit_of_work, a_failed_attempt(failure=Failure(code="unavailable", message="a\0b" + "x" * 9_000)))
        (kept,) = (await operations.failures("PGM_1", limit=10)).items
        assert kept.attempt.failure.message.startswith("a")

    async def test_a_failure_that_rolls_back_never_was(self, unit_of_work: UnitOfWork, operations: Operations) -> None:
        await register(unit_of_work)
        async with rolled_back(unit_of_work) as transaction:
            await transaction.failures.record([a_failed_attempt()])
        assert await attempts_of(operations) == []

    async def test_what_the_newest_entry_of_the_event_tells_is_not_told_once_more(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        put_off = a_failed_attempt(failure=Failure(code="misconfigured", message="a setting is wrong"))
        another = replace(put_off, event_id=8)
        reworded = replace(put_off, failure=Failure(code="misconfigured", message="another setting is wrong"))
        await record_once(unit_of_work, put_off, another, reworded, another)
        assert [each.attempt for each in (await operations.failures("PGM_1", limit=10)).items] == [another, put_off]

    @pytest.mark.parametrize(
        "change",
        [{"attempt": 2}, {"stage": Stage.READ}, {"failure": Failure(code="timeout", message="")}, {"is_final": True}],
        ids=lambda change: next(iter(change)),
    )
    async def test_what_the_newest_entry_of_the_event_does_not_tell_is_told(
        self, unit_of_work: UnitOfWork, operations: Operations, change: dict[str, Any]
    ) -> None:
        await register(unit_of_work)
        first = a_failed_attempt()
        await record_once(unit_of_work, first, replace(first, **change), first)
        assert len((await operations.failures("PGM_1", limit=10)).items) == 3

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
    async def test_pages_of_any_size_show_every_failure_once_the_newest_first(
        self, unit_of_work: UnitOfWork, operations: Operations, limit: int
    ) -> None:
        await register(unit_of_work)
        await register(unit_of_work, pgm_id="PGM_2")
        for number in range(1, 6):
            await record(unit_of_work, a_failed_attempt(attempt=number), a_failed_attempt(pgm_id="PGM_2"))
        assert await attempts_of(operations, limit=limit) == [5, 4, 3, 2, 1]

    async def test_what_fails_meanwhile_shows_on_no_later_page(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await record(unit_of_work, *(a_failed_attempt(attempt=number) for number in (1, 2, 3)))
        first = await operations.failures("PGM_1", limit=2)
        await record(unit_of_work, a_failed_attempt(attempt=4))
        second = await operations.failures("PGM_1", limit=2, cursor=first.next_cursor)
        assert [each.attempt.attempt for each in (*first.items, *second.items)] == [3, 2, 1]

    async def test_the_failures_of_one_document_are_those_that_name_it_at_any_generation(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await record(
            unit_of_work,
            a_failed_attempt(attempt=1, documents=refs("D1", "D2")),
            a_failed_attempt(attempt=2, documents=refs("D2", "D10")),
            a_failed_attempt(attempt=3, documents=(DocumentRef(document_id="D1", generation=7),)),
        )
        assert await attempts_of(operations, document_id="D1", limit=1) == [3, 1]
        assert await attempts_of(operations, document_id="D2") == [2, 1]
        assert await attempts_of(operations, document_id="D") == []

    async def test_a_cursor_of_another_listing_is_refused(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await register(unit_of_work, pgm_id="PGM_2")
        await record(unit_of_work, a_failed_attempt(), a_failed_attempt())
        cursor = (await operations.failures("PGM_1", limit=1)).next_cursor
        for listing in ({"pgm_id": "PGM_2"}, {"pgm_id": "PGM_1", "document_id": "D1"}):
            with pytest.raises(InvalidRequestError):
                await operations.failures(**listing, limit=1, cursor=cursor)
        with pytest.raises(InvalidRequestError):
            await operations.failures("PGM_1", limit=1, cursor="made-up")

    async def test_a_deleted_program_has_no_history_and_gets_none(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await register(unit_of_work, pgm_id="PGM_2")
        await record(unit_of_work, a_failed_attempt())
        await delete(unit_of_work)
        await record(unit_of_work, a_failed_attempt(attempt=2), a_failed_attempt(pgm_id="PGM_2"))
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")
        await record(unit_of_work, a_failed_attempt(attempt=3), a_failed_attempt(attempt=4))
        for pgm_id in ("PGM_1", "PGM_9"):
            with pytest.raises(NotFoundError):
                await operations.failures(pgm_id, limit=10)
        assert len((await operations.failures("PGM_2", limit=10)).items) == 1
        assert await trim(unit_of_work, keep=1) == 0  # nothing of PGM_1 is left that nobody could read

    async def test_the_history_is_cut_by_the_oldest_repeated_attempts_first(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work)
        await register(unit_of_work, pgm_id="PGM_2")
        final = a_failed_attempt(attempt=1).final_for(a_document().ref)
        await record(unit_of_work, final, *(a_failed_attempt(attempt=number) for number in (2, 3, 4, 5)))
        await record(unit_of_work, *(a_failed_attempt(pgm_id="PGM_2") for _ in range(3)))
        assert await trim(unit_of_work, keep=3, limit=1) == 1
        assert await attempts_of(operations) == [5, 4, 3, 1]
        assert await trim(unit_of_work, keep=3) == 1
        assert await attempts_of(operations) == [5, 4, 1]
        assert await trim(unit_of_work, keep=3) == 0
        assert len((await operations.failures("PGM_2", limit=10)).items) == 3

    async def test_the_attempts_at_an_event_that_are_told_are_counted_once_each(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        twice = [a_failed_attempt(attempt=1).final_for(ref) for ref in refs("D1", "D2")]
        await record(unit_of_work, *twice, a_failed_attempt(attempt=4), a_failed_attempt(attempt=2, event_id=8))
        event = documents_registered(a_document(0))
        for attempts, told in ((5, 2), (4, 1), (1, 0)):
            started = StartedEvent(event_id=7, lease_token="", attempts=attempts, event=event)
            async with unit_of_work.begin() as transaction:
                assert await transaction.failures.told_attempts(started) == told

    async def test_nothing_is_recorded_of_nothing(self, unit_of_work: UnitOfWork) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.failures.record([])


def a_failed_attempt(**changes: Any) -> FailedAttempt:
    attempt = FailedAttempt(
        pgm_id="PGM_1",
        documents=(a_document(0).ref, a_document(1, generation=4).ref),
        event_id=7,
        attempt=1,
        stage=Stage.PROVE,
        failure=Failure(code="unavailable", message="milvus gave no answer that could be used"),
    )
    return replace(attempt, **changes)


def refs(*document_ids: str) -> tuple[DocumentRef, ...]:
    return tuple(DocumentRef(document_id=document_id, generation=1) for document_id in document_ids)


async def record(unit_of_work: UnitOfWork, *attempts: FailedAttempt) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.failures.record(attempts)


async def record_once(unit_of_work: UnitOfWork, *attempts: FailedAttempt) -> None:
    for attempt in attempts:
        async with unit_of_work.begin() as transaction:
            await transaction.failures.record_once(attempt)


async def trim(unit_of_work: UnitOfWork, *, keep: int, limit: int = 100) -> int:
    async with unit_of_work.begin() as transaction:
        return await transaction.failures.trim(keep=keep, limit=limit)


async def attempts_of(operations: Operations, *, document_id: str | None = None, limit: int = 100) -> list[int]:
    page = await operations.failures("PGM_1", limit=limit, document_id=document_id)
    shown = list(page.items)
    while page.next_cursor is not None:
        page = await operations.failures("PGM_1", limit=limit, document_id=document_id, cursor=page.next_cursor)
        shown.extend(page.items)
    return [each.attempt.attempt for each in shown]
