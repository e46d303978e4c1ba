"""What holds when a worker is slow, dies, lies, or has been overtaken."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.check_readiness import CheckReadiness, Waiting
from application.handle_event import HandleEvent
from application.search_rungs import SearchQuery
from application.spool import store_file
from builders.service import Service, a_service
from builders.uploads import CONVEYOR
from domain.document import Document, DocumentRef, DocumentState
from domain.errors import MisconfiguredError, UnavailableError
from domain.events import LEASE, ClaimedEvent, DocumentsRegistered, RetryPolicy
from domain.ports.vector_index import IndexEntry
from domain.registration import indexing_events
from domain.search import SearchMode, SearchScope
from domain.vectors import Vectors
from entrypoints.api.inline_indexing import Indexing
from fakes.embedder import HashingEmbedder

AN_HOUR = timedelta(hours=1)


async def relayed(service: Service) -> ClaimedEvent:
    """The one event that waits in the queue."""
    await service.relay()
    (claimed,) = service.dispatcher.waiting.values()
    return claimed


def worker_of(service: Service, **fields: object) -> HandleEvent:
    return replace(service.container.handle_event(), **fields)  # type: ignore[arg-type] # any field of it


async def found(service: Service, query: str, **fields: object) -> list[str]:
    answer = await service.container.search_rungs()(SearchQuery(text=query, **fields))  # type: ignore[arg-type] # as above
    return [hit.chunk.document_id for hit in answer.hits]


async def test_a_heartbeat_keeps_the_lease_of_work_that_takes_long(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    lease = timedelta(seconds=0.15)

    async def take_long(_texts: Sequence[str]) -> None:
        service.embedder.before = None
        for _ in range(6):
            await asyncio.sleep(lease.total_seconds() / 2)
            await service.registry.clock.advance(lease * 0.8)

    service.embedder.before = take_long
    await worker_of(service, lease=lease)(await relayed(service))
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_checkpoint_holds_the_event_for_the_lease_of_its_worker(tmp_path: Path) -> None:
    rungs = "".join(CONVEYOR.splitlines(keepends=True)[:3]) * 600
    service = await a_service(tmp_path, {"0000_11": rungs, "0001_11": CONVEYOR})
    await service.register()
    held_for: list[timedelta] = []

    async def look(_texts: Sequence[str]) -> None:
        (event,) = service.registry.committed.events.values()
        held_for.append(event.due - service.registry.clock())

    service.embedder.before = look
    await worker_of(service, lease=AN_HOUR)(await relayed(service))
    assert len(held_for) > 2
    assert set(held_for) == {AN_HOUR}


async def test_work_ends_when_its_heartbeat_finds_the_lease_lost(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    ended: list[str] = []

    async def be_overtaken(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.registry.clock.advance(AN_HOUR)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    service.embedder.before = be_overtaken
    await worker_of(service, lease=timedelta(seconds=0.1))(await relayed(service))
    assert ended == ["cancelled"]
    assert not service.index.entries


async def leave(service: Service, document: Document, text: str) -> str:
    """A chunk too many of a document, in the index; returns its id."""
    entry = IndexEntry(
        chunk_id=f"{document.document_id}.g1.99",
        pgm_id=document.pgm_id,
        document=document.ref,
        document_type=document.document_type,
        folder_id="0",
        logic_id="0000_11",
        lexical_text=text,
    )
    await service.index.upsert([entry], await HashingEmbedder().embed([text]))
    return entry.chunk_id


async def test_a_lost_lease_is_no_order_to_stop_whatever_a_client_makes_of_the_cancellation(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    (document,) = [d for d in (await service.register()).registration.documents if d.logic_id == "0000_11"]

    async def overtake() -> None:
        await service.registry.clock.advance(AN_HOUR)
        await service.work()
        await service.container.delete_program()("PGM_1")
        await service.work()
        await leave(service, document, "written before that")

    async def be_overtaken_by_a_purge(_: Sequence[str]) -> None:
        service.embedder.before = None
        overtaking = asyncio.create_task(overtake())
        try:
            await asyncio.shield(overtaking)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await overtaking  # a machine under load misses the lease before that
            raise MisconfiguredError("gRPC status CANCELLED") from None

    service.embedder.before = be_overtaken_by_a_purge
    await worker_of(service, lease=timedelta(seconds=3))(await relayed(service))
    task = asyncio.current_task()
    assert task is not None
    assert (task.cancelling(), service.index.entries) == (0, {})


async def test_a_worker_that_lost_its_lease_records_nothing(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()

    async def sleep_through(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.registry.clock.advance(AN_HOUR)

    service.embedder.before = sleep_through
    await service.container.handle_event()(await relayed(service))
    assert DocumentState.INDEXED not in service.states.values()
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_worker_that_wakes_after_the_program_was_purged_leaves_no_vectors(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()

    async def sleep_through_a_deletion(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.registry.clock.advance(AN_HOUR)
        await service.work()
        await service.container.delete_program()("PGM_1")
        await service.work()

    service.embedder.before = sleep_through_a_deletion
    await service.container.handle_event()(await relayed(service))
    assert not service.index.entries
    assert not [event for event in service.registry.committed.events.values() if event.is_pending]


async def test_a_worker_whose_attempt_fails_after_its_program_was_purged_leaves_no_vectors(tmp_path: Path) -> None:
    """It wrote half of them before, and the rest after the purge: the read-back finds too few."""
    service = await a_service(tmp_path)
    await service.register()

    async def sleep_through_a_deletion(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.registry.clock.advance(AN_HOUR)
        await service.work()
        await service.container.delete_program()("PGM_1")
        await service.work()
        service.index.forgets = True

    service.embedder.before = sleep_through_a_deletion
    await service.container.handle_event()(await relayed(service))
    assert not service.index.entries


async def test_a_worker_that_is_told_to_stop_hands_its_event_back_uncounted(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    is_at_work = asyncio.Event()

    async def work_for_ever(_: Sequence[str]) -> None:
        service.embedder.before = None
        is_at_work.set()
        await asyncio.sleep(60)

    service.embedder.before = work_for_ever
    working = asyncio.create_task(service.container.handle_event()(await relayed(service)))
    await is_at_work.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [event.attempts for event in service.registry.committed.events.values()] == [0]
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_cancellation_that_a_client_turns_into_an_error_hands_the_event_back(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    is_at_work = asyncio.Event()

    async def answer_a_cancellation_with_an_error(_: Sequence[str]) -> None:
        service.embedder.before = None
        is_at_work.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise UnavailableError("milvus", "gRPC status CANCELLED") from None

    service.embedder.before = answer_a_cancellation_with_an_error
    working = asyncio.create_task(service.container.handle_event()(await relayed(service)))
    await is_at_work.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    (event,) = service.registry.committed.events.values()
    assert (event.attempts, event.lease_token, event.due) == (0, None, service.registry.clock())


async def test_an_event_of_a_newer_version_waits_a_day_for_a_worker_that_knows_it(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    events = service.registry.committed.events
    (event_id,) = events
    events[event_id] = replace(events[event_id], is_newer=True)
    await service.work_for(timedelta(hours=23), step=timedelta(minutes=30))
    assert events[event_id].is_pending
    assert events[event_id].attempts == 0
    events[event_id] = replace(events[event_id], is_newer=False)  # as the newer worker reads it
    await service.work_for(timedelta(minutes=2))
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_an_event_that_no_worker_has_known_for_a_day_is_buried(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    events = service.registry.committed.events
    (event_id,) = events
    events[event_id] = replace(events[event_id], is_newer=True)
    await service.work_for(timedelta(hours=25), step=timedelta(minutes=30))
    assert (events[event_id].is_dead, events[event_id].last_error) == (True, "event_unknown")


async def a_worker_dies(service: Service) -> None:
    """It takes what is due and is never heard of again."""
    await service.relay()
    for claimed in service.dispatcher.waiting.values():
        async with service.container.unit_of_work().begin() as transaction:
            await transaction.outbox.start(claimed, lease=LEASE)
    service.dispatcher.lose_everything()
    await service.registry.clock.advance(LEASE * 2)


async def test_a_document_that_ends_every_worker_is_quarantined(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    worker = worker_of(service, retry=RetryPolicy(max_attempts=3))
    for _ in range(2):  # the event of both documents, then each alone
        for _ in range(3):
            await a_worker_dies(service)
        await service.relay()
        waiting = list(service.dispatcher.waiting.values())
        service.dispatcher.lose_everything()
        for claimed in waiting:
            await worker(claimed)
    failures = await service.catalogue.failures("PGM_1", limit=10)
    assert [document.failure.code for document in failures if document.failure] == ["quarantined"] * 2


@pytest.mark.parametrize(("deaths", "events"), [(2, 1), (3, 3)])
async def test_an_event_that_ended_three_workers_is_split_and_nothing_fails(
    tmp_path: Path, deaths: int, events: int
) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    for _ in range(deaths):
        await a_worker_dies(service)
    await service.work_for(timedelta(minutes=1))
    assert len(service.registry.committed.events) == events
    assert DocumentState.FAILED not in service.states.values()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_split_for_the_sake_of_workers_stands_in_the_history(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    for _ in range(3):
        await a_worker_dies(service)
    await service.work()
    (entry,) = service.registry.committed.failures.values()
    assert (entry.attempt.failure.code, entry.attempt.is_final) == ("worker_lost", False)


async def test_outages_are_nothing_that_ends_workers(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()

    async def be_away(_texts: Sequence[str]) -> None:
        raise UnavailableError("embedder", "gone")

    service.embedder.before = be_away
    await service.work_for(timedelta(minutes=5))
    (event,) = service.registry.committed.events.values()
    assert event.attempts > 5
    for _ in range(2):
        await service.registry.clock.advance(timedelta(minutes=1))
        await a_worker_dies(service)
    service.embedder.before = None
    await service.registry.clock.advance(timedelta(minutes=1))
    await service.work()
    assert len(service.registry.committed.events) == 1
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_document_alone_keeps_its_attempts_for_others_may_end_its_workers(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    await indexed_anew(service)  # an event of the one ladder
    for _ in range(20):
        await a_worker_dies(service)
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_a_failed_document_leaves_nothing_in_the_index(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.index.forgets = True
    service.container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=30))
    await service.work_for(timedelta(hours=1), step=timedelta(seconds=16))
    assert DocumentState.INDEXED not in service.states.values()
    assert not service.index.entries


async def test_a_chunk_too_many_is_removed_by_the_next_attempt(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    (document,) = [d for d in (await service.register()).registration.documents if d.logic_id == "0000_11"]
    foreign = await leave(service, document, "left by another version")
    await service.work()
    assert DocumentState.INDEXED not in service.states.values()
    await service.registry.clock.advance(timedelta(seconds=5))
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED
    assert foreign not in service.index.entries


async def indexed_anew(service: Service) -> None:
    """As a re-index or a retry decides it."""
    async with service.container.unit_of_work().begin() as transaction:
        refs = [document.ref for document in service.registry.committed.documents.values() if document.logic_id]
        restarted = await transaction.documents.restart(refs)
        await transaction.outbox.add([DocumentsRegistered(pgm_id="PGM_1", documents=tuple(restarted))])


async def test_what_is_indexed_anew_leaves_nothing_of_before_in_the_index(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    await service.work()
    await indexed_anew(service)
    await indexed_anew(service)
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED
    assert {entry.document for entry in service.index.entries.values()} == {
        DocumentRef(document_id="PGM_1-r1-0001", generation=1),  # the template, which was not indexed anew
        DocumentRef(document_id="PGM_1-r1-0002", generation=3),
    }
    assert await found(service, "X0")


async def test_what_fails_anew_leaves_nothing_of_before_in_the_index(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR})
    await service.register()
    await service.work()
    await indexed_anew(service)
    service.index.forgets = True
    service.container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=30))
    await service.work_for(timedelta(hours=1), step=timedelta(seconds=16))
    assert service.states["0000_11.csv"] is DocumentState.FAILED
    assert {entry.document.document_id for entry in service.index.entries.values()} == {"PGM_1-r1-0001"}


async def test_a_bug_in_a_purge_does_not_end_it(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    await service.container.delete_program()("PGM_1")
    remove, service.index.remove_program = service.index.remove_program, None  # type: ignore[method-assign, assignment] # a bug
    await service.work()
    service.index.remove_program = remove  # type: ignore[method-assign] # mended
    await service.registry.clock.advance(timedelta(minutes=2))
    await service.work()
    assert not service.index.entries


async def test_every_rung_gets_the_vector_of_its_own_text(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    for query, document_id in (("컨베이어 정지", "PGM_1-r1-0002"), ("도어 잠금", "PGM_1-r1-0003")):
        assert (await found(service, query, mode=SearchMode.DENSE))[0] == document_id


async def test_an_embedder_that_answers_too_little_is_never_believed(tmp_path: Path) -> None:
    class Short(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            return await super().embed(texts[:-1] or texts)

    service = await a_service(tmp_path, embedder=Short())
    await service.register()
    await service.work_for(timedelta(minutes=5))
    # Nor is it the documents' fault.
    assert {DocumentState.INDEXED, DocumentState.FAILED}.isdisjoint(service.states.values())


async def test_an_index_that_ignores_the_scope_is_corrected(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    service.index.ignores_scope = True
    assert await found(service, "정지", scope=SearchScope(pgm_id="PGM_2"), mode=SearchMode.DENSE) == []


async def test_deleted_programs_do_not_crowd_out_the_living_ones(tmp_path: Path) -> None:
    rungs = "".join(CONVEYOR.splitlines(keepends=True)[:3]) * 80
    service = await a_service(tmp_path, {"0000_11": rungs})
    await service.register()
    await service.register()
    await service.work_for(timedelta(minutes=1))
    await service.container.delete_program()("PGM_1")
    assert {document_id.split("-")[0] for document_id in await found(service, "컨베이어 정지")} == {"PGM_2"}
    await service.container.delete_program()("PGM_2")
    assert await found(service, "컨베이어 정지") == []


async def test_other_bytes_under_a_documents_own_key_fail_it(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await store_file(service.blobs, "programs/PGM_1/r1/ladder_files/0000_11.csv", service.upload.template.path)
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.FAILED
    assert service.states["0001_11.csv"] is DocumentState.INDEXED


async def test_events_are_sized_by_rungs_so_that_each_is_done_in_seconds(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    large = tuple(
        replace(member, facts=replace(member.facts, rung_count=3_000)) for member in service.inspected.ladders
    )
    service.upload_reader.inspected = replace(service.inspected, ladders=large)
    assert len(indexing_events((await service.register()).registration)) == 2


async def test_an_api_that_dies_in_the_synchronous_mode_holds_up_nobody_for_long(tmp_path: Path) -> None:
    service = await a_service(tmp_path, hold_events_for=LEASE)
    await service.register()  # and dies
    await service.registry.clock.advance(LEASE + timedelta(seconds=1))
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.INDEXED


async def test_an_upload_that_is_deleted_before_its_answer_is_still_answered(tmp_path: Path) -> None:
    service = await a_service(tmp_path, hold_events_for=LEASE)
    registered = await service.register()
    await service.container.delete_program()("PGM_1")
    indexing = Indexing(index_registered=service.container.index_registered())
    assert await indexing.documents_after(registered, service.catalogue) == registered.registration.documents


async def test_a_dependency_that_is_silent_is_waited_for_and_no_longer_than_said() -> None:
    async def silent() -> None:
        await asyncio.sleep(60)

    async def down() -> None:
        raise UnavailableError("redis", "ConnectionError")

    async def fine() -> None:
        return

    readiness = CheckReadiness(checks={"milvus": silent, "redis": down, "postgres": fine}, timeout_s=0.05)
    assert await readiness() == [
        Waiting(dependency="milvus", reason="no answer within 0.05 s"),
        Waiting(dependency="redis", reason="ConnectionError"),
    ]
