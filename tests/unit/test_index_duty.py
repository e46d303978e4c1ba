"""What a worker owes the vector index: when it may work, when it builds, and when it stops."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from application.rebuild_index import LEASE
from builders.service import Service, WatchedEmbedder, a_service
from domain.errors import ConflictError, MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.catalogue import IndexView
from domain.ports.embedder import EmbeddingModel
from domain.ports.vector_index import VectorIndex
from entrypoints.index_duty import IndexDuty, told_now_and_then
from fakes.embedder import HashingEmbedder
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex

NEW_KEY = IndexKey(model=EmbeddingModel(name="another", dimension=16), rendering_version=1)


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class EnoughError(Exception):
    """Ends a duty that never ends."""


class Pauses:
    """The pauses of a duty, none of which takes any time; `during` is called with the number of each, from 1 on."""

    def __init__(self, *during: Callable[[], Awaitable[None]]) -> None:
        self.lengths_s: list[float] = []
        self._during = during

    async def sleep(self, seconds: float) -> None:
        self.lengths_s.append(seconds)
        if len(self.lengths_s) > len(self._during):
            raise EnoughError
        await self._during[len(self.lengths_s) - 1]()


async def nothing() -> None:
    pass


async def indexed_service(folder: Path) -> Service:
    service = await a_service(folder)
    await service.register()
    await service.work()
    return service


def with_another_model(service: Service, **overrides: Any) -> Service:
    """The same product started with the settings of another model."""
    return Service(
        folder=service.folder,
        upload=service.upload,
        inspected=service.inspected,
        overrides={
            "blobs": service.blobs,
            "catalogue": service.catalogue,
            "embedder": HashingEmbedder(name="another", dimension=16),
            "index": InMemoryVectorIndex(key=NEW_KEY, server=service.index.server),
            "unit_of_work": service.container.unit_of_work(),
            **overrides,
        },
    )


def duty_of(service: Service, pauses: Pauses, *, follows_model: bool = False) -> IndexDuty:
    return IndexDuty(
        keep_index=service.container.keep_index(),
        rebuild_index=service.container.rebuild_index(),
        follows_model=follows_model,
        sleep=pauses.sleep,
    )


async def fulfil(duty: IndexDuty) -> None:
    """Until the pauses are through."""
    with pytest.raises(EnoughError):
        await duty()


async def current_key(service: Service) -> IndexKey | None:
    async with service.container.unit_of_work().begin() as transaction:
        current = await transaction.indexes.current()
    return current.key if current else None


async def test_a_worker_whose_index_is_current_may_work_at_once(tmp_path: Path) -> None:
    service, pauses = await indexed_service(tmp_path), Pauses()
    duty = duty_of(service, pauses)
    assert not duty.may_work.is_set()
    await fulfil(duty)
    assert duty.may_work.is_set()
    assert pauses.lengths_s == [duty.look_every_s]


async def test_the_first_worker_of_all_makes_the_index_and_may_work(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.registry.committed.indexes.clear()
    service.index.server.indexes.clear()
    duty = duty_of(service, Pauses())
    await fulfil(duty)
    assert duty.may_work.is_set()
    assert await current_key(service) == service.index.key == service.index.server.published


async def test_a_lost_index_is_built_again_by_a_worker_that_goes_on_working(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    held = set(service.index.entries)

    async def lose() -> None:
        assert duty.may_work.is_set()
        service.index.server.indexes.clear()

    duty = duty_of(service, Pauses(lose))
    await fulfil(duty)
    assert duty.may_work.is_set()
    assert set(service.index.entries) == held
    assert (await service.catalogue.index(service.index.key)).is_complete


async def test_events_are_handled_while_the_current_index_is_built(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    service.index.server.indexes.clear()
    duty = duty_of(service, Pauses())
    might_work: list[bool] = []

    async def look(_: Sequence[str]) -> None:
        might_work.append(duty.may_work.is_set())

    service.embedder.before = look
    await fulfil(duty)
    assert might_work
    assert all(might_work)


async def test_a_worker_of_another_model_waits_and_says_what_would_build_its_index(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = await indexed_service(tmp_path)
    newcomer, pauses = with_another_model(service), Pauses(nothing, nothing)
    duty = duty_of(newcomer, pauses)
    await fulfil(duty)
    assert not duty.may_work.is_set()
    assert await current_key(service) == service.index.key
    assert NEW_KEY not in service.index.server.indexes
    assert "`ladderbase reindex --all`" in caplog.text
    assert str(NEW_KEY) in caplog.text


async def test_a_worker_that_waits_or_is_not_the_builder_writes_no_line_every_second(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.begin(NEW_KEY)
        await transaction.indexes.take_building(NEW_KEY, builder=str(uuid4()), lease=timedelta(hours=1))
    newcomer = with_another_model(service)
    for follows_model in (False, True):
        pauses = Pauses(nothing, nothing)
        duty = duty_of(newcomer, pauses, follows_model=follows_model)
        await fulfil(duty)
        assert pauses.lengths_s == [duty.look_every_s] * 3
        assert not duty.may_work.is_set()


async def test_a_worker_that_waited_goes_to_work_once_its_index_is_current(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    newcomer = with_another_model(service)

    async def reindex() -> None:
        assert not duty.may_work.is_set()
        async for _ in newcomer.container.rebuild_index()(str(uuid4())):
            pass

    duty = duty_of(newcomer, Pauses(reindex))
    await fulfil(duty)
    assert duty.may_work.is_set()


async def test_a_worker_that_follows_its_model_builds_the_index_and_takes_over(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    duty = duty_of(with_another_model(service), Pauses(), follows_model=True)
    await fulfil(duty)
    assert duty.may_work.is_set()
    assert await current_key(service) == NEW_KEY == service.index.server.published
    assert service.index.server.indexes[NEW_KEY].entries.keys() == service.index.entries.keys()


async def test_a_follower_does_not_work_before_it_has_taken_over(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    embedder = WatchedEmbedder(name="another", dimension=16)
    duty = duty_of(with_another_model(service, embedder=embedder), Pauses(), follows_model=True)
    might_work: list[bool] = []

    async def look(_: Sequence[str]) -> None:
        might_work.append(duty.may_work.is_set())

    embedder.before = look
    await fulfil(duty)
    assert might_work
    assert not any(might_work)


async def test_a_follower_takes_over_from_a_builder_that_fell_silent(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.begin(NEW_KEY)
        await transaction.indexes.take_building(NEW_KEY, builder=str(uuid4()), lease=LEASE)

    async def wait() -> None:
        assert not duty.may_work.is_set()
        await service.registry.clock.advance(LEASE)

    duty = duty_of(with_another_model(service), Pauses(wait), follows_model=True)
    await fulfil(duty)
    assert duty.may_work.is_set()


@pytest.mark.parametrize("follows_model", [False, True])
async def test_a_worker_that_is_overtaken_while_it_works_stops(tmp_path: Path, *, follows_model: bool) -> None:
    service = await indexed_service(tmp_path)

    async def overtake() -> None:
        async for _ in with_another_model(service).container.rebuild_index()(str(uuid4())):
            pass

    duty = duty_of(service, Pauses(overtake), follows_model=follows_model)
    with pytest.raises(ConflictError, match="not current any more: start this worker with the settings of the new"):
        await duty()
    assert await current_key(service) == NEW_KEY


async def test_an_outage_ends_nothing_and_its_pauses_grow_to_the_longest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = await indexed_service(tmp_path)
    outage = UnavailableVectorIndex(service.index, failures=5)
    pauses = Pauses(*[nothing] * 5)
    duty = duty_of(with_index(service, outage), pauses)
    await fulfil(duty)
    assert pauses.lengths_s == [1.0, 2.0, 4.0, 8.0, duty.longest_pause_s, duty.look_every_s]
    assert duty.may_work.is_set()
    assert "next look in 8.0 s: milvus is unavailable: as scripted" in caplog.text


async def test_after_an_outage_the_pauses_begin_anew(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    outage = UnavailableVectorIndex(service.index, failures=3)

    async def fail_again() -> None:
        outage.failures_left = 1

    pauses = Pauses(nothing, nothing, nothing, fail_again, nothing)
    await fulfil(duty_of(with_index(service, outage), pauses))
    assert pauses.lengths_s == [1.0, 2.0, 4.0, 10.0, 1.0, 10.0]


async def test_an_outage_under_a_worker_does_not_stop_it(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    outage = UnavailableVectorIndex(service.index, failures=0)

    async def fail() -> None:
        outage.failures_left = 1

    duty = duty_of(with_index(service, outage), Pauses(fail, nothing))
    await fulfil(duty)
    assert duty.may_work.is_set()


async def test_an_outage_in_the_middle_of_a_build_is_sat_out_and_the_build_goes_on(tmp_path: Path) -> None:
    service = await indexed_service(tmp_path)
    service.index.server.indexes.clear()
    failures = 1

    async def fail_once(_: Sequence[str]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise UnavailableError("embedder", "as scripted")

    service.embedder.before = fail_once
    pauses = Pauses(nothing)
    await fulfil(duty_of(service, pauses))
    assert pauses.lengths_s == [1.0, 10.0]
    assert (await service.catalogue.index(service.index.key)).is_complete


async def test_what_an_operator_must_mend_is_waited_for_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    service = await indexed_service(tmp_path)
    misconfigured = UnavailableVectorIndex(service.index, failures=0)
    prepare = misconfigured.prepare

    async def refuse() -> None:
        raise MisconfiguredError("Milvus: it refuses the token: see MILVUS_TOKEN")

    async def mend() -> None:
        misconfigured.prepare = prepare  # type: ignore[method-assign] # as below

    misconfigured.prepare = refuse  # type: ignore[method-assign] # a server that refuses
    duty = duty_of(with_index(service, misconfigured), Pauses(mend))
    await fulfil(duty)
    assert duty.may_work.is_set()
    assert "see MILVUS_TOKEN" in caplog.text


def test_how_far_a_building_is_is_said_at_once_and_then_every_ten_seconds() -> None:
    clock, said = Clock(), list[str]()
    tell = told_now_and_then(said.append, clock=clock)
    for held in range(25):
        tell(IndexView(is_complete=False, held=held, total=25))
        clock.now_s += 1
    assert said == [f"building the vector index: {held} of 25 documents" for held in (0, 10, 20)]


def with_index(service: Service, index: VectorIndex) -> Service:
    """The same product over another vector index."""
    return Service(
        folder=service.folder,
        upload=service.upload,
        inspected=service.inspected,
        overrides={
            "blobs": service.blobs,
            "catalogue": service.catalogue,
            "embedder": service.embedder,
            "index": index,
            "unit_of_work": service.container.unit_of_work(),
        },
    )
