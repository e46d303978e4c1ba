"""From the outbox to searchable: at least once, in any order, whatever fails on the way."""

import errno
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.search_rungs import SearchQuery
from builders.service import Service, a_service
from builders.uploads import CONVEYOR, DOOR
from domain.document import DocumentRef, DocumentState
from domain.errors import InvalidRequestError, MisconfiguredError, NotFoundError, UnavailableError, UnindexableError
from domain.events import LEASE, ClaimedEvent, DocumentsRegistered, RetryPolicy
from domain.ports.embedder import TEXT_REFUSED
from domain.program import ProgramStatus
from domain.search import SearchScope
from domain.upload import InspectedUpload
from domain.vectors import Vectors
from fakes.blob_store import InMemoryBlobStore
from fakes.embedder import HashingEmbedder, UnavailableEmbedder
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex

INDEXED = {
    "ladder.zip": DocumentState.SKIPPED,
    "template.xlsx": DocumentState.INDEXED,
    "0000_11.csv": DocumentState.INDEXED,
    "0001_11.csv": DocumentState.INDEXED,
}
A_LEASE_AND_A_BIT = LEASE + timedelta(seconds=1)


async def found(service: Service, query: str, *, pgm_id: str | None = None) -> list[str]:
    """Document names and first steps of the hits."""
    answer = await service.container.search_rungs()(SearchQuery(text=query, scope=SearchScope(pgm_id=pgm_id)))
    return [f"{hit.chunk.document_name}@{hit.chunk.first_step}" for hit in answer.hits]


async def test_a_registered_program_becomes_searchable(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    assert service.states == INDEXED
    assert (await service.catalogue.program("PGM_1")).progress.status is ProgramStatus.INDEXED
    assert (await found(service, "X0"))[0] == "0000_11.csv@8"
    assert (await found(service, "도어 잠금"))[0] == "0001_11.csv@8"
    assert "template.xlsx@None" in await found(service, "L0001_11")
    assert await found(service, "X0", pgm_id="PGM_2") == []


async def test_each_chunk_is_in_the_index_once_however_often_the_event_comes(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    ids = set(service.index.entries)
    assert len(ids) == 2 + 2 + 1  # two rungs of one logic, one of the other, and a template row each
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.outbox.add([DocumentsRegistered(pgm_id="PGM_1", documents=tuple(_refs()))])
    await service.work()
    assert set(service.index.entries) == ids
    assert service.states == INDEXED


def _refs() -> list[DocumentRef]:
    return [DocumentRef(document_id=f"PGM_1-r1-000{n}", generation=1) for n in (1, 2, 3)]


async def test_what_the_queue_loses_comes_back_when_the_claim_runs_out(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.relay()
    service.dispatcher.lose_everything()
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.PENDING
    await service.registry.clock.advance(A_LEASE_AND_A_BIT)
    await service.work()
    assert service.states == INDEXED


async def test_a_queue_that_is_down_costs_an_event_no_attempt(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.dispatcher.is_down_after = 0
    for _ in range(50):
        with pytest.raises(UnavailableError):
            await service.relay()
        await service.registry.clock.advance(timedelta(seconds=2))
    service.dispatcher.is_down_after = None
    await service.work()
    assert service.states == INDEXED
    assert [event.attempts for event in service.registry.committed.events.values()] == [1]


async def test_a_second_delivery_of_one_claim_leaves_at_once(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.relay()
    (claimed,) = service.dispatcher.waiting.values()
    await service.container.handle_event()(claimed)
    await service.container.handle_event()(claimed)
    assert [event.attempts for event in service.registry.committed.events.values()] == [1]


async def test_an_outage_is_outlasted(tmp_path: Path) -> None:
    embedder = UnavailableEmbedder(HashingEmbedder(), failures=12)
    service = await a_service(tmp_path, embedder=embedder)
    await service.register()
    await service.work_for(timedelta(minutes=15))
    assert service.states == INDEXED


async def test_an_outage_without_end_ends_in_failures_that_can_be_seen(tmp_path: Path) -> None:
    service = await a_service(tmp_path, embedder=UnavailableEmbedder(HashingEmbedder(), failures=10**6))
    service.container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=30))
    await service.register()
    await service.work_for(timedelta(hours=1), step=timedelta(seconds=16))
    failures = await service.catalogue.failures("PGM_1", limit=10)
    assert {document.failure.code for document in failures if document.failure} == {"retries_exhausted"}
    assert len(failures) == 3
    assert not [event for event in service.registry.committed.events.values() if event.is_pending]


class LyingEmbedder(HashingEmbedder):
    """Answers what `lie` makes of the vectors, until it is told the truth."""

    lie: Callable[[Vectors], Vectors] | None = None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = await super().embed(texts)
        return self.lie(vectors) if self.lie else vectors


def of_another_dimension(vectors: Vectors) -> Vectors:
    return Vectors(dimension=vectors.dimension // 2, buffer=vectors.buffer[: len(vectors.buffer) // 2])


def one_too_few(vectors: Vectors) -> Vectors:
    return replace(vectors, buffer=bytes(vectors.buffer[: -4 * vectors.dimension]))


def not_a_number(vectors: Vectors) -> Vectors:
    return replace(vectors, buffer=b"\x00\x00\xc0\x7f" * vectors.dimension * len(vectors))


def refused(vectors: Vectors) -> Vectors:
    raise MisconfiguredError("the embedder refuses the key, OPENAI_API_KEY (401)")


@pytest.mark.parametrize("lie", [of_another_dimension, one_too_few, not_a_number, refused])
async def test_a_misconfiguration_fails_no_document_and_all_is_indexed_once_it_is_mended(
    tmp_path: Path, lie: Callable[[Vectors], Vectors]
) -> None:
    embedder = LyingEmbedder()
    embedder.lie = lie
    service = await a_service(tmp_path, embedder=embedder)
    await service.register()
    await service.work_for(timedelta(hours=3), step=timedelta(seconds=61))
    assert {DocumentState.INDEXED, DocumentState.FAILED}.isdisjoint(service.states.values())
    assert [event.attempts for event in service.registry.committed.events.values()] == [0]
    embedder.lie = None
    await service.work()
    assert service.states == INDEXED


async def test_a_misconfiguration_that_lasts_is_one_line_of_the_history_and_is_tried_four_times_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = LyingEmbedder()
    embedder.lie = of_another_dimension
    service = await a_service(tmp_path, embedder=embedder)
    await service.register()
    await service.work_for(timedelta(hours=1), step=timedelta(seconds=15))
    (told,) = (await service.operations.failures("PGM_1", limit=10)).items
    assert (told.attempt.failure.code, told.attempt.stage, told.attempt.is_final) == ("misconfigured", "embed", False)
    lines = [record for record in caplog.records if "until an operator has acted" in record.message]
    assert len(lines) == 240
    assert "vectors of 32 dimensions, not as many of 64" in lines[0].message


class BucketlessStore(InMemoryBlobStore):
    """Answers that there is no bucket."""

    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        raise MisconfiguredError("there is no bucket of that name: see S3_BUCKET_NAME")
        yield b""


async def test_a_bucket_that_is_missing_fails_no_document_and_all_is_indexed_once_it_is_there(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.container.blobs.override(BucketlessStore())
    await service.work_for(timedelta(hours=3), step=timedelta(seconds=61))
    assert DocumentState.FAILED not in service.states.values()
    service.container.blobs.override(service.blobs)
    await service.work()
    assert service.states == INDEXED


async def test_a_text_that_the_model_refuses_fails_its_document_at_once_and_no_neighbour(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR, "0001_11": DOOR})

    async def refuse_doors(texts: Sequence[str]) -> None:
        if any("잠금" in text for text in texts):
            raise UnindexableError(TEXT_REFUSED, "the embedding model refuses one of the texts, however short")

    service.embedder.before = refuse_doors
    await service.register()
    await service.work()
    assert service.states == INDEXED | {"0001_11.csv": DocumentState.FAILED}
    (failed,) = await service.catalogue.failures("PGM_1", limit=10)
    assert failed.failure is not None
    assert failed.failure.code == "text_refused"
    (told,) = (await service.operations.failures("PGM_1", limit=10)).items
    assert (told.attempt.stage, told.attempt.is_final, len(told.attempt.documents)) == ("embed", True, 1)
    assert not [event for event in service.registry.committed.events.values() if event.is_pending or event.is_dead]
    service.embedder.before = None
    assert "0001_11.csv@8" not in await found(service, "도어 잠금")


async def test_a_query_that_the_model_refuses_is_the_callers_to_change(tmp_path: Path) -> None:
    service = await a_service(tmp_path)

    async def refuse(_: Sequence[str]) -> None:
        raise UnindexableError(TEXT_REFUSED, "the embedding model refuses one of the texts, however short")

    service.embedder.before = refuse
    with pytest.raises(InvalidRequestError) as raised:
        await found(service, "X0")
    assert (raised.value.field, raised.value.code) == ("query", "text_refused")


async def test_one_document_that_cannot_be_read_does_not_hold_up_its_neighbours(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR, "0001_11": DOOR})
    service.upload_reader.inspected = _with_wrong_hash(service)
    await service.register()
    await service.work()
    assert service.states["0000_11.csv"] is DocumentState.FAILED
    assert service.states["0001_11.csv"] is DocumentState.INDEXED
    (failed,) = await service.catalogue.failures("PGM_1", limit=10)
    assert failed.failure is not None
    assert failed.failure.code == "storage_corrupt"


def _with_wrong_hash(service: Service) -> InspectedUpload:
    first, *rest = service.inspected.ladders
    return replace(service.inspected, ladders=(replace(first, sha256="f" * 64), *rest))


async def test_an_archive_that_is_gone_fails_its_documents_with_a_code(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    assert {d.failure.code for d in await service.catalogue.failures("PGM_1", limit=9) if d.failure} == {
        "storage_missing"
    }


async def test_an_index_that_forgets_what_it_acknowledged_is_never_believed(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.index.forgets = True
    await service.work()
    assert DocumentState.INDEXED not in service.states.values()
    service.index.forgets = False
    await service.registry.clock.advance(timedelta(minutes=2))
    await service.work()
    assert service.states == INDEXED


async def test_a_bug_fails_the_document_it_meets_and_no_other(tmp_path: Path) -> None:
    service = await a_service(tmp_path)

    async def trip_over_doors(texts: Sequence[str]) -> None:
        if any("도어 잠금" in text for text in texts):
            raise RuntimeError("a bug")

    service.embedder.before = trip_over_doors
    await service.register()
    await service.work_for(timedelta(minutes=5))
    assert service.states["0001_11.csv"] is DocumentState.FAILED
    assert service.states["0000_11.csv"] is DocumentState.INDEXED
    assert service.states["template.xlsx"] is DocumentState.INDEXED


async def test_a_deleted_program_is_gone_at_once_and_purged_by_the_worker(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    await service.container.delete_program()("PGM_1")
    assert await found(service, "X0") == []
    with pytest.raises(NotFoundError):
        await service.catalogue.program("PGM_1")
    await service.work()
    assert not service.index.entries
    assert not [entry async for entry in service.blobs.list_below("")]
    with pytest.raises(NotFoundError):
        await service.container.delete_program()("PGM_1")


async def test_a_delete_that_overtakes_the_indexing_leaves_nothing_behind(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.relay()

    async def delete_meanwhile(_: Sequence[str]) -> None:
        service.embedder.before = None
        await service.container.delete_program()("PGM_1")
        await service.work()  # purges before the indexing has written anything

    service.embedder.before = delete_meanwhile
    (claimed,) = service.dispatcher.waiting.values()
    await service.container.handle_event()(claimed)
    await service.registry.clock.advance(timedelta(minutes=2))
    await service.work()
    assert not service.index.entries
    assert not [entry async for entry in service.blobs.list_below("")]


async def test_the_synchronous_mode_indexes_before_it_answers(tmp_path: Path) -> None:
    service = await a_service(tmp_path, hold_events_for=timedelta(minutes=10))
    registered = await service.register()
    assert await service.relay() == 0
    await service.container.index_registered()(registered.held)
    assert service.states == INDEXED


async def test_the_synchronous_mode_never_undoes_a_registration(tmp_path: Path) -> None:
    embedder = UnavailableEmbedder(HashingEmbedder(), failures=1)
    service = await a_service(tmp_path, hold_events_for=timedelta(minutes=10), embedder=embedder)
    registered = await service.register()
    await service.container.index_registered()(registered.held)
    assert service.states["0000_11.csv"] is DocumentState.INDEXING
    await service.registry.clock.advance(timedelta(seconds=2))
    await service.work()
    assert service.states == INDEXED


async def test_a_claim_that_never_was_is_nobodys(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.container.handle_event()(ClaimedEvent(event_id=77, lease_token="none"))


@pytest.mark.parametrize("text", ["", "   ", "\u3000", "x" * 2_001, "\ud800"])
async def test_a_query_that_asks_nothing_is_refused(tmp_path: Path, text: str) -> None:
    service = await a_service(tmp_path)
    with pytest.raises(InvalidRequestError):
        await service.container.search_rungs()(SearchQuery(text=text))


async def test_a_search_during_an_outage_is_an_error_and_no_empty_answer(tmp_path: Path) -> None:
    service = await a_service(tmp_path, embedder=UnavailableEmbedder(HashingEmbedder(), failures=1))
    with pytest.raises(UnavailableError):
        await service.container.search_rungs()(SearchQuery(text="정지"))


async def test_the_purge_of_a_deleted_program_is_tried_until_it_is_done(tmp_path: Path) -> None:
    behind = InMemoryVectorIndex()
    await behind.prepare()
    outage = UnavailableVectorIndex(behind, failures=100)
    service = await a_service(tmp_path, index=outage)
    await service.register()
    await service.container.delete_program()("PGM_1")
    await service.work_for(timedelta(hours=4), step=timedelta(seconds=61))
    assert not [event for event in service.registry.committed.events.values() if event.is_pending or event.is_dead]
    assert not [entry async for entry in service.blobs.list_below("")]


async def test_a_full_scratch_disk_is_an_outage_and_no_failure(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()

    async def disk_is_full(_: Sequence[str]) -> None:
        service.embedder.before = None
        raise OSError(errno.ENOSPC, "No space left on device")

    service.embedder.before = disk_is_full
    await service.work_for(timedelta(minutes=2))
    assert service.states == INDEXED
