"""Each kind of drift is found by what it is, mended by the workers, and gone from the second audit."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.audit_stores import ABANDONED_AFTER
from application.search_rungs import SearchQuery
from builders.drift import (
    LADDER,
    OTHER_LADDER,
    TEMPLATE,
    audited,
    change,
    document,
    hold,
    indexed_service,
    kinds,
    lose_events,
    lose_uses,
    lose_vectors,
    repair,
)
from builders.service import Service, a_service
from domain.document import DocumentRef, DocumentState, Failure
from domain.drift import IDS_SHOWN, DriftKind
from domain.errors import ConflictError, UnavailableError
from domain.events import DocumentsRegistered
from fakes.blob_store import InMemoryBlobStore, UnavailableBlobStore
from fakes.registry import StoredEvent
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex

A_DAY = timedelta(days=1)
ARCHIVE = "ladder.zip"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await indexed_service(tmp_path)


async def mend(service: Service) -> None:
    """Repair what is found and let a worker work; afterwards nothing is left to be found."""
    await repair(service, await audited(service, deep=True))
    assert await audited(service, deep=True) == []  # what is under way is no drift
    await service.work()
    assert await audited(service, deep=True) == []


async def names_found(service: Service, query: str = "X0") -> list[str]:
    answer = await service.container.search_rungs()(SearchQuery(text=query))
    return [hit.chunk.document_name for hit in answer.hits]


async def test_a_chunk_that_the_index_lost_is_found_and_written_anew(service: Service) -> None:
    lost = lose_vectors(service, all_but=1)
    [drift] = await audited(service)
    assert (drift.kind, drift.pgm_id, drift.document) == (
        DriftKind.VECTORS_MISSING,
        "PGM_1",
        document(service).ref,
    )
    assert (drift.ids, drift.count) == (tuple(lost), len(lost))
    await mend(service)
    assert document(service).ref.generation == 2
    assert (await names_found(service))[0] == LADDER


async def test_a_document_that_the_index_lost_altogether_is_found(service: Service) -> None:
    lost = lose_vectors(service)
    [drift] = await audited(service)
    assert (drift.kind, drift.count) == (DriftKind.VECTORS_MISSING, len(lost))
    await mend(service)


@pytest.mark.parametrize("by", [1, -1])
async def test_uses_of_devices_that_are_lost_or_too_many_are_found_and_recorded_anew(service: Service, by: int) -> None:
    uses = service.registry.committed.uses
    before = {name: sorted(stored.uses.values(), key=str) for name, stored in uses.items()}
    lose_uses(service, by=by)
    [drift] = await audited(service)
    assert (drift.kind, drift.document) == (DriftKind.USES_MISCOUNTED, document(service).ref)
    await repair(service, [drift])
    assert await audited(service) == []
    await service.container.record_lacking_uses()()
    assert {name: sorted(stored.uses.values(), key=str) for name, stored in uses.items()} == before
    assert document(service).ref.generation == 1  # nothing was embedded


async def test_uses_of_which_nobody_noted_how_many_there_were_are_no_drift(service: Service) -> None:
    uses = service.registry.committed.uses
    uses.update({name: replace(stored, use_count=None) for name, stored in uses.items()})
    lose_uses(service)
    assert await audited(service) == []


async def test_uses_and_chunks_that_are_lost_together_are_both_recorded_anew(service: Service) -> None:
    lose_uses(service)
    lose_vectors(service)
    assert await kinds(service) == [DriftKind.USES_MISCOUNTED, DriftKind.VECTORS_MISSING]
    await mend(service)


async def test_a_chunk_too_many_is_found_and_goes(service: Service) -> None:
    surplus = await hold(service, document(service).ref, 99)
    [drift] = await audited(service)
    assert (drift.kind, drift.ids) == (DriftKind.VECTORS_SURPLUS, (surplus,))
    await mend(service)
    assert surplus not in service.index.entries


@pytest.mark.parametrize("foreign_id", ["foreign", "PGM_1-r1-0002.gx.1", ".", "PGM_8-r1-0001.g1.0"])
async def test_a_chunk_whose_id_does_not_say_whose_it_is_is_found_and_goes(service: Service, foreign_id: str) -> None:
    await hold(service, document(service).ref, foreign_id=foreign_id)
    await hold(
        service, DocumentRef(document_id="PGM_9-r1-0002", generation=1), pgm_id="PGM_9", foreign_id=f"a{foreign_id}"
    )
    drifts = await audited(service)
    assert [(drift.kind, drift.ids) for drift in drifts] == [
        (DriftKind.VECTORS_SURPLUS, (foreign_id,)),
        (DriftKind.VECTORS_UNOWNED, (f"a{foreign_id}",)),
    ]
    await mend(service)


async def test_of_many_ids_the_first_are_shown_and_all_are_counted(service: Service) -> None:
    for ordinal in range(100, 150):
        await hold(service, document(service).ref, ordinal)
    [drift] = await audited(service)
    assert (len(drift.ids), drift.count) == (IDS_SHOWN, 50)


async def test_chunks_of_an_older_generation_are_found_and_go(service: Service) -> None:
    change(service, generation=7)
    stale = [entry.chunk_id for entry in service.index.entries.values() if entry.document.generation == 1]
    service.registry.committed.events.clear()
    assert DriftKind.VECTORS_STALE in await kinds(service)
    await repair(service, await audited(service))
    await service.work()
    assert await audited(service) == []
    assert not set(stale) & {chunk for chunk in service.index.entries if chunk.startswith("PGM_1-r1-0002")}


async def test_chunks_of_a_generation_that_the_record_does_not_know_yet_go_too(service: Service) -> None:
    later = DocumentRef(document_id=document(service).document_id, generation=9)
    await hold(service, later)
    [drift] = await audited(service)
    assert (drift.kind, drift.document) == (DriftKind.VECTORS_STALE, later)
    await mend(service)


async def test_chunks_of_a_document_that_nobody_knows_are_found_and_go(service: Service) -> None:
    unknown = DocumentRef(document_id="PGM_77-r1-0002", generation=1)
    await hold(service, unknown, pgm_id="PGM_77")
    [drift] = await audited(service)
    assert (drift.kind, drift.pgm_id, drift.document) == (DriftKind.VECTORS_UNOWNED, "PGM_77", unknown)
    await mend(service)


async def test_chunks_of_a_purged_program_are_found_and_go(service: Service) -> None:
    ref = document(service).ref
    await service.container.delete_program()("PGM_1")
    await service.work()
    assert await audited(service) == []
    await service.register()
    await service.work()
    await hold(service, ref)
    assert await kinds(service) == [DriftKind.VECTORS_UNOWNED]
    await mend(service)


async def test_chunks_of_a_failed_document_are_found_and_go_and_it_stays_failed(service: Service) -> None:
    failure = Failure(code="resource_limit", message="too much")
    change(service, state=DocumentState.FAILED, failure=failure)
    [drift] = await audited(service)
    assert (drift.kind, drift.failure) == (DriftKind.VECTORS_OF_FAILED, failure)
    await mend(service)
    assert document(service).failure == failure


async def test_a_document_with_another_number_of_chunks_is_found_and_indexed_anew(service: Service) -> None:
    right = document(service).chunk_count
    change(service, chunk_count=right + 1)
    assert await kinds(service) == [DriftKind.CHUNKS_MISCOUNTED]
    await mend(service)
    assert document(service).chunk_count == right


async def test_lost_chunk_rows_are_found_and_written_anew(service: Service) -> None:
    chunks = service.registry.committed.chunks
    [key] = [key for key in chunks if key[0] == document(service).ref]
    chunks[key] = chunks[key][1:]
    assert await kinds(service) == [DriftKind.CHUNKS_MISCOUNTED, DriftKind.VECTORS_SURPLUS]
    await mend(service)
    assert (await names_found(service))[0] == LADDER


async def test_a_document_that_the_complete_index_is_not_recorded_to_hold_is_found(service: Service) -> None:
    del service.registry.committed.held[service.index.key, document(service).document_id]
    assert await kinds(service) == [DriftKind.INDEX_UNRECORDED]
    await mend(service)


async def test_what_an_index_that_is_being_built_does_not_hold_yet_is_no_drift(service: Service) -> None:
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.lost(service.index.key)
    lose_vectors(service)
    assert await audited(service) == []


async def test_a_document_that_nothing_would_move_is_found_and_moved(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    assert await audited(service) == []
    lose_events(service)
    drifts = await audited(service)
    assert [(drift.kind, drift.document) for drift in drifts] == [
        (DriftKind.DOCUMENT_STUCK, document(service, name).ref) for name in (TEMPLATE, LADDER, OTHER_LADDER)
    ]
    await mend(service)
    assert service.states[LADDER] is DocumentState.INDEXED
    assert document(service).generation == 1


async def test_an_event_of_another_generation_moves_nothing(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    lose_events(service)
    refs = tuple(replace(each.ref, generation=9) for each in service.registry.committed.documents.values())
    event = DocumentsRegistered(pgm_id="PGM_1", documents=refs)
    now = service.registry.clock()
    service.registry.committed.events[99] = StoredEvent(event=event, due=now, created=now)
    assert set(await kinds(service)) == {DriftKind.DOCUMENT_STUCK}


async def test_a_purge_that_was_lost_is_found_and_done(service: Service) -> None:
    await service.container.delete_program()("PGM_1")
    assert await audited(service) == []
    lose_events(service)
    drifts = await audited(service)
    assert {drift.kind for drift in drifts} == {DriftKind.PURGE_MISSING, DriftKind.VECTORS_UNOWNED}
    assert [drift.pgm_id for drift in drifts if drift.kind is DriftKind.PURGE_MISSING] == ["PGM_1"]
    await mend(service)
    assert not service.index.entries
    assert not [entry async for entry in service.blobs.list_below("programs")]


async def test_a_ladder_whose_bytes_are_lost_is_found_and_fails_visibly(service: Service) -> None:
    key = document(service).blob_key
    del service.blobs._blobs[key]
    [drift] = await audited(service)
    assert (drift.kind, drift.document, drift.ids) == (DriftKind.BLOB_MISSING, document(service).ref, (key,))
    await mend(service)
    failure = document(service).failure
    assert failure is not None
    assert failure.code == "storage_missing"
    assert LADDER not in await names_found(service)


@pytest.mark.parametrize("name", [ARCHIVE, TEMPLATE])
async def test_an_uploaded_file_whose_bytes_are_lost_fails_visibly_though_nothing_reads_it(
    service: Service, name: str
) -> None:
    del service.blobs._blobs[document(service, name).blob_key]
    assert await kinds(service) == [DriftKind.BLOB_MISSING]
    await mend(service)
    failure = document(service, name).failure
    assert failure is not None
    assert failure.code == "storage_missing"
    assert (await names_found(service))[0] == LADDER


async def test_ladders_in_a_lost_archive_are_found_each_unless_a_worker_is_about_to_find_out(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    change(service, LADDER, state=DocumentState.FAILED, failure=Failure(code="resource_limit", message=""))
    del service.blobs._blobs[document(service, ARCHIVE).blob_key]
    missing = {drift.document for drift in await audited(service)}
    assert missing == {document(service, name).ref for name in (ARCHIVE, LADDER)}
    await mend(service)
    failures = [document(service, name).failure for name in (ARCHIVE, LADDER, OTHER_LADDER)]
    assert [failure.code for failure in failures if failure] == ["storage_missing"] * 3


@pytest.mark.parametrize(
    ("content", "deep", "kind"),
    [
        (b"short", False, DriftKind.BLOB_WRONG_SIZE),
        (b"short", True, DriftKind.BLOB_WRONG_SIZE),
        (None, True, DriftKind.BLOB_CORRUPT),
    ],
)
async def test_a_blob_with_other_bytes_is_found_and_its_document_fails(
    service: Service, *, content: bytes | None, deep: bool, kind: DriftKind
) -> None:
    for name in (LADDER, TEMPLATE):
        key = document(service, name).blob_key
        service.blobs._blobs[key] = content or bytes(len(service.blobs._blobs[key]))
    assert await kinds(service, deep=deep) == [kind, kind]
    await mend(service)
    failures = [document(service, name).failure for name in (LADDER, TEMPLATE)]
    assert [failure.code for failure in failures if failure] == ["storage_corrupt"] * 2


async def test_without_reading_other_bytes_of_the_same_length_are_not_noticed(service: Service) -> None:
    key = document(service).blob_key
    service.blobs._blobs[key] = bytes(len(service.blobs._blobs[key]))
    assert await audited(service) == []


async def test_blobs_that_nobody_owns_are_found_once_they_are_old(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.blobs._blobs["programs/PGM_9/r1/zip/ladder.zip"] = b""
    service.blobs._blobs["programs/PGM_9/r1/zip/other.zip"] = b""
    service.blobs._blobs["programs/PGM_1/r1/foreign"] = b""
    service.blobs._blobs["programs/PGM_1/r2/foreign"] = b""
    service.blobs._blobs["programs/foreign"] = b""
    service.blobs._blobs["readiness/probe"] = b""
    drifts = await audited(service)
    assert {drift.kind for drift in drifts} == {DriftKind.BLOB_ORPHAN}
    assert sorted((drift.pgm_id, drift.ids, drift.count) for drift in drifts) == [
        ("", ("programs/foreign",), 1),
        ("PGM_1", ("programs/PGM_1/r1/foreign",), 1),
        ("PGM_1", ("programs/PGM_1/r2/foreign",), 1),
        ("PGM_9", ("programs/PGM_9/r1/zip/ladder.zip", "programs/PGM_9/r1/zip/other.zip"), 2),
    ]
    service.blobs._modified = service.registry.clock() - A_DAY + timedelta(minutes=1)
    assert await audited(service) == []


async def test_the_blobs_of_an_upload_under_way_are_its_own(service: Service) -> None:
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.uploads.begin("programs/PGM_9/r1")
    service.blobs._blobs["programs/PGM_9/r1/zip/ladder.zip"] = b""
    assert await audited(service) == []
    await service.registry.clock.advance(ABANDONED_AFTER + timedelta(minutes=1))
    [drift] = await audited(service)
    assert (drift.kind, drift.pgm_id, drift.ids) == (DriftKind.UPLOAD_ABANDONED, "PGM_9", ("programs/PGM_9/r1",))


async def test_a_ladder_that_has_its_own_object_before_it_says_so_has_no_orphan(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.blobs._blobs["programs/PGM_1/r1/ladder_files/0000_11.csv"] = b"what a worker wrote before it died"
    assert await audited(service) == []


async def test_what_no_repair_mends_is_there_still_afterwards(service: Service) -> None:
    service.blobs._blobs["programs/PGM_9/r1/zip/ladder.zip"] = b""
    drifts = await audited(service)
    await repair(service, drifts)
    assert not [event for event in service.registry.committed.events.values() if event.is_pending]
    assert await audited(service) == drifts


async def test_a_repair_leaves_alone_what_moved_on_meanwhile(service: Service) -> None:
    lose_vectors(service)
    drifts = await audited(service)
    await repair(service, drifts)
    await repair(service, drifts)
    assert document(service).generation == 2
    await service.work()
    assert await audited(service) == []


async def test_a_repair_never_removes_what_is_current_when_a_worker_comes_to_it(service: Service) -> None:
    later = DocumentRef(document_id=document(service).document_id, generation=2)
    await hold(service, later)
    await repair(service, await audited(service))
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.documents.restart([document(service).ref])  # now the generation in question is current
        await transaction.outbox.add([DocumentsRegistered(pgm_id="PGM_1", documents=(later,))])
    await service.work()
    assert document(service).state is DocumentState.INDEXED
    assert len(await service.index.chunk_ids([later])) == document(service).chunk_count
    assert await audited(service) == []  # the first generation went when the second was indexed


async def test_a_repair_for_an_unknown_program_deletes_no_blobs(service: Service) -> None:
    """After a restored backup the id may be given out anew: to an upload that is under way just now."""
    await hold(service, DocumentRef(document_id="PGM_2-r1-0002", generation=1), pgm_id="PGM_2")
    await repair(service, await audited(service))
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.uploads.begin("programs/PGM_2/r1")
    service.blobs._blobs["programs/PGM_2/r1/zip/ladder.zip"] = b"on its way"
    await service.work()
    assert "programs/PGM_2/r1/zip/ladder.zip" in service.blobs._blobs
    assert await audited(service) == []


async def test_an_audit_with_the_settings_of_another_index_compares_nothing(service: Service) -> None:
    other = InMemoryVectorIndex(key=replace(service.index.key, rendering_version=99), server=service.index.server)
    with pytest.raises(ConflictError, match="settings of its workers"):
        await anext(replace(service.container.audit_stores(), index=other)())


async def test_a_service_that_never_indexed_anything_has_no_drift(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.index.server.indexes.clear()
    service.registry.committed.indexes.clear()
    assert await audited(service) == []


async def test_an_index_that_is_gone_is_an_outage_and_not_clean(service: Service) -> None:
    service.index.server.indexes.clear()
    with pytest.raises(UnavailableError):
        await audited(service)


@pytest.mark.parametrize("dependency", ["index", "blobs"])
async def test_a_dependency_that_is_down_is_an_outage_and_not_clean(tmp_path: Path, dependency: str) -> None:
    index = InMemoryVectorIndex()
    down = {
        "index": UnavailableVectorIndex(index, failures=99),
        "blobs": UnavailableBlobStore(InMemoryBlobStore(), failures=99),
    }
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    container = service.container
    getattr(container, dependency).override(down[dependency])
    with pytest.raises(UnavailableError):
        await audited(service)


async def test_workers_audit_by_turns_once_a_day_and_repair_nothing(service: Service) -> None:
    lose_vectors(service)
    audit = service.container.audit_by_turns()
    assert await audit() == {DriftKind.VECTORS_MISSING: 1}
    assert await audit() is None
    await service.registry.clock.advance(A_DAY + timedelta(minutes=1))
    assert await service.container.audit_by_turns()() == {DriftKind.VECTORS_MISSING: 1}
    last = await service.container.audit_log().last()
    assert last is not None
    assert last.counts == {"vectors_missing": 1}


async def test_an_audit_that_an_outage_ended_is_done_by_whoever_comes_next(service: Service) -> None:
    service.container.index.override(UnavailableVectorIndex(service.index, failures=1))
    audit = service.container.audit_by_turns()
    with pytest.raises(UnavailableError):
        await audit()
    assert await audit() is None
    await service.registry.clock.advance(timedelta(minutes=61))
    assert await audit() == {}
