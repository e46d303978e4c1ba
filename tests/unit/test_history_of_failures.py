"""Each attempt that fails leaves a line in the history, and each document that fails for good."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from application.stages import at
from application.sweep_history import FAILURES_PER_PROGRAM, ROWS_AT_ONCE
from application.together import both
from builders.service import Service, a_service
from builders.uploads import CONVEYOR, DOOR
from domain.document import Failure
from domain.errors import MisconfiguredError, UnavailableError
from domain.events import LEASE, RetryPolicy
from domain.failures import FailedAttempt, Stage
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.operations import RecordedFailure
from entrypoints.api.app import create_app
from fakes.blob_store import UnavailableBlobStore
from fakes.embedder import HashingEmbedder, UnavailableEmbedder
from fakes.vector_index import UnavailableVectorIndex

Client = AsyncTestClient[Litestar]
TEMPLATE, FIRST, SECOND = (f"PGM_1-r1-000{number}" for number in (1, 2, 3))


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


async def history(service: Service, document_id: str | None = None) -> list[RecordedFailure]:
    page = await service.operations.failures("PGM_1", limit=1_000, document_id=document_id)
    return list(page.items)


async def the_failure(service: Service) -> FailedAttempt:
    (recorded,) = await history(service)
    return recorded.attempt


def named(attempt: FailedAttempt) -> list[str]:
    return [ref.document_id for ref in attempt.documents]


async def no_file_is_read(service: Service) -> None:
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))


async def no_text_is_embedded(service: Service) -> None:
    service.container.embedder.override(UnavailableEmbedder(HashingEmbedder(), failures=1))


async def no_vector_is_written(service: Service) -> None:
    service.container.index.override(UnavailableVectorIndex(service.index, failures=1))


async def a_vector_is_missing(service: Service) -> None:
    service.index.forgets = True


async def another_index_became_current(service: Service) -> None:
    key = IndexKey(model=EmbeddingModel(name="another", dimension=16), rendering_version=1)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.begin(key)
        await transaction.indexes.complete(key)


async def test_an_attempt_that_fails_is_one_line_for_all_its_documents(tmp_path: Path) -> None:
    service = await a_service(tmp_path, embedder=UnavailableEmbedder(HashingEmbedder(), failures=1))
    await service.register()
    await service.work_for(timedelta(minutes=1))
    attempt = await the_failure(service)
    assert named(attempt) == [TEMPLATE, FIRST, SECOND]
    assert (attempt.attempt, attempt.event_id, attempt.is_final) == (1, 1, False)
    assert attempt.failure == Failure(code="unavailable", message="embedder gave no answer that could be used")


@pytest.mark.parametrize(
    ("happens", "stage"),
    [
        (no_file_is_read, Stage.READ),
        (no_text_is_embedded, Stage.EMBED),
        (no_vector_is_written, Stage.INDEX),
        (a_vector_is_missing, Stage.PROVE),
        (another_index_became_current, Stage.RECORD),
    ],
)
async def test_the_stage_is_where_the_work_was(
    service: Service, happens: Callable[[Service], Awaitable[None]], stage: Stage
) -> None:
    await service.register()
    await happens(service)
    await service.work()
    assert (await the_failure(service)).stage is stage


async def test_what_fails_is_told_and_not_what_had_begun_beside_it() -> None:
    told: list[Stage] = []

    async def refused() -> None:
        await asyncio.sleep(0)
        raise UnavailableError("milvus", "it refused")

    async def embedding() -> None:
        told.append(Stage.EMBED)
        await asyncio.Event().wait()

    with pytest.raises(UnavailableError):
        await both(at(Stage.INDEX, told.append, refused()), embedding())
    assert told == [Stage.EMBED, Stage.INDEX]


async def test_a_file_that_cannot_be_read_is_a_line_of_its_own(tmp_path: Path) -> None:
    service = await a_service(tmp_path, {"0000_11": CONVEYOR, "0001_11": DOOR})
    first, *rest = service.inspected.ladders
    service.upload_reader.inspected = replace(service.inspected, ladders=(replace(first, sha256="f" * 64), *rest))
    await service.register()
    await service.work()
    attempt = await the_failure(service)
    assert (named(attempt), attempt.stage, attempt.is_final) == ([FIRST], Stage.READ, True)
    assert attempt.failure.code == "storage_corrupt"


async def test_an_outage_without_end_is_told_attempt_by_attempt(tmp_path: Path) -> None:
    service = await a_service(tmp_path, embedder=UnavailableEmbedder(HashingEmbedder(), failures=10**6))
    service.container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=30))
    await service.register()
    await service.work_for(timedelta(minutes=20), step=timedelta(seconds=13))
    told = [recorded.attempt for recorded in reversed(await history(service, TEMPLATE))]
    assert [each.attempt for each in told] == [*range(1, 31)] * 2  # with its neighbours, then alone
    assert told[-1].failure == Failure(code="retries_exhausted", message="embedder gave no answer")
    assert [each.is_final for each in told] == [False] * 59 + [True]
    assert (named(told[-1]), told[29].failure.code) == ([TEMPLATE], "retries_exhausted")


async def test_a_document_that_ends_its_workers_says_so_without_a_stage(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    worker = replace(service.container.handle_event(), retry=RetryPolicy(max_attempts=1))
    await service.relay()
    (claimed,) = service.dispatcher.waiting.values()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.outbox.start(claimed, lease=LEASE)
    await service.registry.clock.advance(LEASE * 2)
    service.dispatcher.lose_everything()
    await service.relay()
    (claimed,) = service.dispatcher.waiting.values()
    await worker(claimed)
    attempt = await the_failure(service)
    assert (attempt.failure.code, attempt.stage, attempt.attempt) == ("quarantined", Stage.UNKNOWN, 2)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UnavailableError("milvus", "refused by 10.0.0.9"), "unavailable", "milvus gave no answer that could be used"),
        (
            MisconfiguredError("OPENAI_API_KEY sk-secret is refused"),
            "misconfigured",
            "a dependency and the settings disagree: see the worker's log",
        ),
        (OSError(errno.ENOSPC, "at 10.0.0.9", "/srv/scratch/x"), "io_error", "No space left on device"),
        (OSError("/srv/scratch"), "io_error", "the system refused it"),
        (TimeoutError("/srv"), "timeout", "it was not done in time"),
    ],
)
async def test_no_address_path_or_key_gets_into_the_history(
    service: Service, error: Exception, code: str, message: str
) -> None:
    await service.register()

    async def fail(_: Sequence[str]) -> None:
        raise error

    service.embedder.before = fail
    await service.work()
    assert (await the_failure(service)).failure == Failure(code=code, message=message)


async def test_a_bug_is_told_by_its_kind_alone(service: Service) -> None:
    await service.register()

    async def fail(_: Sequence[str]) -> None:
        raise RuntimeError("SELECT secret FROM documents")

    service.embedder.before = fail
    await service.work()
    attempt = await the_failure(service)
    assert attempt.failure == Failure(code="internal_error", message="RuntimeError")
    assert attempt.stage is Stage.EMBED


async def test_whoever_lost_the_lease_writes_no_history(service: Service) -> None:
    await service.register()
    await service.relay()

    async def be_overtaken(_: Sequence[str]) -> None:
        await service.registry.clock.advance(LEASE * 2)
        raise UnavailableError("embedder", "too late")

    service.embedder.before = be_overtaken
    (claimed,) = service.dispatcher.waiting.values()
    await service.container.handle_event()(claimed)
    assert await history(service) == []


async def test_the_history_goes_with_the_program(service: Service) -> None:
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    assert len(service.registry.committed.failures) == 2
    await service.container.delete_program()("PGM_1")
    await service.work()
    assert service.registry.committed.failures == {}


async def test_the_sweep_keeps_the_newest_of_a_program(service: Service) -> None:
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    (final, _) = await history(service)
    repeated = replace(final.attempt, is_final=False)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.failures.record([repeated] * (FAILURES_PER_PROGRAM + 10))
    assert await service.container.sweep_history()() == 12
    kept = await history(service)
    assert len(kept) == FAILURES_PER_PROGRAM
    assert sum(each.attempt.is_final for each in kept) == 2


async def test_the_sweep_forgets_done_events_batch_by_batch_after_a_week(service: Service) -> None:
    await service.register()
    await service.work()
    done = service.registry.committed.events[1]
    service.registry.committed.events.update((number, done) for number in range(2, ROWS_AT_ONCE + 2))
    dead = replace(done, done=None, is_dead=True)
    service.registry.committed.events[ROWS_AT_ONCE + 2] = dead
    sweep = service.container.sweep_history()
    await service.registry.clock.advance(timedelta(days=7))
    assert await sweep() == 0
    await service.registry.clock.advance(timedelta(seconds=1))
    assert await sweep() == ROWS_AT_ONCE + 1
    assert list(service.registry.committed.events.values()) == [dead]


async def test_failures_are_listed_newest_first_with_a_cursor(client: Client, service: Service) -> None:
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    first = (await client.get("/v1/programs/PGM_1/failures", params={"limit": 1})).json()
    rest = (await client.get("/v1/programs/PGM_1/failures", params={"cursor": first["next"]})).json()
    (entry,) = first["items"]
    assert [each["documents"] for each in first["items"] + rest["items"]] == [
        [{"document_id": SECOND, "generation": 1}],
        [{"document_id": FIRST, "generation": 1}],
    ]
    assert rest["next"] is None
    assert {name: entry[name] for name in ("attempt", "stage", "code", "final", "event_id")} == {
        "attempt": 1,
        "stage": "read",
        "code": "storage_missing",
        "final": True,
        "event_id": 1,
    }
    assert entry["failed_dt"].startswith("2026-01-05T09:00")


async def test_failures_of_one_document_are_asked_for(client: Client, service: Service) -> None:
    await service.register()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    await service.work()
    body = (await client.get("/v1/programs/PGM_1/failures", params={"document_id": FIRST})).json()
    assert [each["documents"][0]["document_id"] for each in body["items"]] == [FIRST]


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/v1/programs/PGM_404/failures", {}, 404),
        ("/v1/programs/PGM_1/failures", {"document_id": "x"}, 422),
        ("/v1/programs/PGM_1/failures", {"limit": "0"}, 422),
        ("/v1/programs/PGM_1/failures", {"cursor": "made-up"}, 422),
    ],
)
async def test_a_question_that_cannot_be_answered_is_a_problem(
    client: Client, service: Service, path: str, params: dict[str, str], status: int
) -> None:
    await service.register()
    answer = await client.get(path, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
