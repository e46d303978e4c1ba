"""What every Operations promises; written through the unit of work of the same record."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.catalogue import a_failed_document
from contracts.failure_log import a_failed_attempt, record
from contracts.outbox import SpoilEvent, TimePasses, begun, buried, claim, commit, finish, start
from contracts.records import (
    CREATED,
    a_document,
    delete,
    documents_registered,
    indexed,
    mark_indexed,
    program_deleted,
    register,
)
from domain.document import DocumentRef, DocumentState
from domain.errors import InvalidRequestError
from domain.events import DocumentsRegistered, Event, StartedEvent
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.operations import IndexStanding, Operations, OutboxCounts, WaitsFor
from domain.ports.unit_of_work import UnitOfWork


class OperationsContract:
    """Needs the fixtures `operations`, `unit_of_work`, `time_passes` and `spoil_event`, all over one record.

    Its listing of failures is the matter of the FailureLogContract.
    """

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    async def test_programs_of_which_documents_failed_are_paged_oldest_first(
        self, unit_of_work: UnitOfWork, operations: Operations, limit: int
    ) -> None:
        for number in (2, 10, 9):
            pgm_id = f"PGM_{number}"
            documents = (a_failed_document(ordinal, pgm_id=pgm_id) for ordinal in range(2))
            await register(unit_of_work, *documents, pgm_id=pgm_id)
        await register(unit_of_work, a_document(pgm_id="PGM_3"), pgm_id="PGM_3")
        await register(unit_of_work, a_failed_document(0, pgm_id="PGM_4"), pgm_id="PGM_4")
        await delete(unit_of_work, "PGM_4")
        page = await operations.programs_with_failures(limit=limit)
        shown = list(page.items)
        while page.next_cursor is not None:
            page = await operations.programs_with_failures(limit=limit, cursor=page.next_cursor)
            shown.extend(page.items)
        assert shown == ["PGM_2", "PGM_9", "PGM_10"]

    async def test_a_cursor_that_was_not_given_out_is_refused(self, operations: Operations) -> None:
        with pytest.raises(InvalidRequestError):
            await operations.programs_with_failures(limit=1, cursor="made-up")

    async def test_an_empty_service_has_nothing_to_tell(self, operations: Operations) -> None:
        overview = await operations.overview()
        assert (dict(overview.documents), overview.oldest, overview.indexes, overview.uploads) == ({}, None, (), 0)
        assert overview.outbox == OutboxCounts(pending=0, due=0, leased=0, dead=0, oldest_pending=None)
        assert overview.as_of.tzinfo is not None

    async def test_documents_of_live_programs_are_counted_by_state(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work, a_document(0), a_document(1), a_failed_document(2))
        await register(unit_of_work, a_document(pgm_id="PGM_2", state=DocumentState.SKIPPED), pgm_id="PGM_2")
        await register(unit_of_work, a_document(pgm_id="PGM_3"), pgm_id="PGM_3")
        await mark_indexed(unit_of_work, indexed(a_document(1)))
        await delete(unit_of_work, "PGM_3")
        assert (await operations.overview()).documents == {
            DocumentState.PENDING: 1,
            DocumentState.INDEXED: 1,
            DocumentState.FAILED: 1,
            DocumentState.SKIPPED: 1,
        }

    async def test_events_are_counted_by_what_they_wait_for(
        self, unit_of_work: UnitOfWork, operations: Operations, time_passes: TimePasses
    ) -> None:
        await finish(unit_of_work, await begun(unit_of_work))
        await buried(unit_of_work, program_deleted())
        delayed = await begun(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(delayed, delay=timedelta(hours=1))
        await begun(unit_of_work)
        await time_passes(timedelta(seconds=31))  # its lease has run out
        await commit(unit_of_work, program_deleted(), program_deleted())
        await claim(unit_of_work, 1)
        counts = (await operations.overview()).outbox
        assert (counts.pending, counts.due, counts.leased, counts.dead) == (4, 2, 1, 1)

    async def test_the_oldest_event_that_waits_is_told(
        self, unit_of_work: UnitOfWork, operations: Operations, time_passes: TimePasses
    ) -> None:
        await buried(unit_of_work, program_deleted())
        await time_passes(timedelta(hours=2))
        await commit(unit_of_work, program_deleted())
        await time_passes(timedelta(hours=1))
        await commit(unit_of_work, program_deleted())
        overview = await operations.overview()
        assert overview.outbox.oldest_pending is not None
        assert timedelta(hours=1) <= overview.as_of - overview.outbox.oldest_pending < timedelta(hours=1, minutes=1)

    async def test_the_document_that_waits_longest_is_told_with_its_next_attempt_and_last_failure(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        old, young = a_document(0), a_document(pgm_id="PGM_2", create_dt=CREATED + timedelta(minutes=1))
        await register(unit_of_work, old, a_failed_document(1))
        await register(unit_of_work, young, pgm_id="PGM_2")
        await commit(unit_of_work, documents_registered(young, pgm_id="PGM_2"))
        started = await start_of(unit_of_work, documents_registered(a_document(9), old))
        await record(
            unit_of_work,
            a_failed_attempt(attempt=1, documents=(old.ref,)),
            a_failed_attempt(attempt=2, documents=(a_document(9).ref, old.ref)),
            a_failed_attempt(attempt=3, documents=(a_document(9).ref,)),
            a_failed_attempt(attempt=4, documents=(a_document(0, generation=2).ref,)),
        )
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.release(started, delay=timedelta(hours=1))
        overview = await operations.overview()
        oldest = overview.oldest
        assert oldest is not None
        assert (oldest.pgm_id, oldest.document_id, oldest.document_name) == (
            "PGM_1",
            old.document_id,
            old.document_name,
        )
        assert (oldest.state, oldest.since) == (DocumentState.PENDING, CREATED)
        assert oldest.event is not None
        assert (oldest.event.event_id, oldest.event.attempts) == (started.event_id, 1)
        assert oldest.event.next_attempt_dt > overview.as_of + timedelta(minutes=59)
        assert oldest.waits_for(overview.as_of) is WaitsFor.NEXT_ATTEMPT
        assert oldest.last_failure is not None
        assert oldest.last_failure.attempt.attempt == 2

    async def test_a_document_waits_for_a_worker_its_work_or_an_operator(
        self, unit_of_work: UnitOfWork, operations: Operations
    ) -> None:
        await register(unit_of_work, a_document())
        assert await waits_for(operations) is WaitsFor.OPERATOR  # no event names it
        await commit(unit_of_work, documents_registered(a_document(generation=2)))
        assert await waits_for(operations) is WaitsFor.OPERATOR  # not at this generation
        await finish(unit_of_work, await start(unit_of_work, (await claim(unit_of_work, 1))[0]))
        await commit(unit_of_work, documents_registered(a_document()))
        assert await waits_for(operations) is WaitsFor.WORKER
        [claimed] = await claim(unit_of_work, 1)
        assert await waits_for(operations) is WaitsFor.WORK_UNDER_WAY
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.bury(claimed.event_id, reason="unreadable")
        assert await waits_for(operations) is WaitsFor.OPERATOR

    async def test_what_was_given_back_waits_since_then(self, unit_of_work: UnitOfWork, operations: Operations) -> None:
        waiting = a_document(pgm_id="PGM_2", create_dt=CREATED + timedelta(minutes=1))
        await register(unit_of_work, a_document(0))
        await register(unit_of_work, waiting, pgm_id="PGM_2")
        await give_back(unit_of_work, a_document(0).ref)
        oldest = (await operations.overview()).oldest
        assert oldest is not None
        assert oldest.document_id == waiting.document_id

    async def test_an_event_that_cannot_be_read_disturbs_nobody(
        self, unit_of_work: UnitOfWork, operations: Operations, spoil_event: SpoilEvent
    ) -> None:
        await register(unit_of_work, a_document())
        (event_id,) = await commit(unit_of_work, documents_registered(a_document()))
        await spoil_event(event_id)
        assert await waits_for(operations) is WaitsFor.OPERATOR

    async def test_indexes_stand_with_what_they_hold_the_current_one_first(
        self, unit_of_work: UnitOfWork, operations: Operations, time_passes: TimePasses
    ) -> None:
        current, next_one = (
            IndexKey(model=EmbeddingModel(name=name, dimension=8), rendering_version=2) for name in ("old", "new")
        )
        documents = [a_document(ordinal) for ordinal in range(3)]
        await register(unit_of_work, *documents)
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.adopt(current)
            await transaction.indexes.begin(next_one)
            await transaction.indexes.take_building(next_one, builder=str(uuid4()), lease=timedelta(minutes=2))
        await mark_indexed(unit_of_work, *(indexed(document) for document in documents))
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.record(next_one, [documents[0].ref, a_document(1, generation=9).ref])
        standing = IndexStanding(key=current, is_current=True, is_complete=True, is_building=False, held=3, total=3)
        building = replace(standing, key=next_one, is_current=False, is_complete=False, is_building=True, held=1)
        assert (await operations.overview()).indexes == (standing, building)
        await time_passes(timedelta(minutes=3))
        assert not (await operations.overview()).indexes[1].is_building

    async def test_uploads_under_way_are_counted(
        self, unit_of_work: UnitOfWork, operations: Operations, time_passes: TimePasses
    ) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.uploads.begin("programs/PGM_1/r1")
        await time_passes(timedelta(hours=2))
        async with unit_of_work.begin() as transaction:
            await transaction.uploads.take_abandoned(older_than=timedelta(hours=1))
            await transaction.uploads.begin("programs/PGM_2/r1")
        assert (await operations.overview()).uploads == 1


async def waits_for(operations: Operations) -> WaitsFor:
    overview = await operations.overview()
    assert overview.oldest is not None
    return overview.oldest.waits_for(overview.as_of)


async def start_of(unit_of_work: UnitOfWork, event: Event) -> StartedEvent:
    """This event, committed last, and started."""
    (event_id,) = await commit(unit_of_work, event)
    (claimed,) = [each for each in await claim(unit_of_work, 100) if each.event_id == event_id]
    return await start(unit_of_work, claimed)


async def give_back(unit_of_work: UnitOfWork, ref: DocumentRef) -> None:
    async with unit_of_work.begin() as transaction:
        restarted = await transaction.documents.restart([ref])
        await transaction.outbox.add([DocumentsRegistered(pgm_id="PGM_1", documents=tuple(restarted))])
