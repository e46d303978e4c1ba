"""Who builds an index holds the right to it while it works, and leaves it to the next when it is told to stop."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from application.rebuild_index import LEASE, RebuildIndex
from application.write_vectors import CHUNKS_PER_CHECKPOINT
from builders.service import Service, a_service
from domain.errors import ConflictError, UnavailableError
from domain.ports.catalogue import IndexView

# Two of them make two checkpoints of one slice.
LONG = "0,[Title]긴 로직,,,,,\n" + "".join(
    f"{10 * number + 8},,LD,X{number},,,\n{10 * number + 9},,OUT,M{number},,,\n"
    for number in range(CHUNKS_PER_CHECKPOINT)
)


async def lost_index(folder: Path, bodies: dict[str, str] | None = None) -> Service:
    """A service whose index must be built again."""
    service = await a_service(folder, bodies)
    await service.register()
    await service.work()
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.lost(service.index.key)
    service.index.server.indexes.clear()
    return service


async def build(service: Service, builder: str | None = None) -> list[IndexView]:
    rebuild: RebuildIndex = service.container.rebuild_index()
    return [view async for view in rebuild(builder or str(uuid4()))]


async def test_a_builder_that_is_told_to_stop_leaves_the_work_to_the_next_at_once(tmp_path: Path) -> None:
    service = await lost_index(tmp_path)
    begun = asyncio.Event()

    async def wait_for_ever(_: Sequence[str]) -> None:
        service.embedder.before = None
        begun.set()
        await asyncio.Event().wait()

    service.embedder.before = wait_for_ever
    building = asyncio.create_task(build(service))
    await begun.wait()
    with pytest.raises(ConflictError):
        await build(service)
    building.cancel()
    await asyncio.wait({building})
    assert building.cancelled()
    assert await build(service) == [IndexView(is_complete=False, held=3, total=3)]


async def test_a_builder_whose_reader_goes_away_leaves_the_work_to_the_next_at_once(tmp_path: Path) -> None:
    service = await lost_index(tmp_path)
    building = service.container.rebuild_index()(str(uuid4()))
    await anext(building)
    await building.aclose()  # type: ignore[attr-defined]  # it is an asynchronous generator
    await build(service)
    assert (await service.catalogue.index(service.index.key)).is_complete


async def test_a_builder_that_meets_an_outage_keeps_its_right_and_goes_on(tmp_path: Path) -> None:
    service = await lost_index(tmp_path)

    async def fail(_: Sequence[str]) -> None:
        service.embedder.before = None
        raise UnavailableError("embedder", "as scripted")

    service.embedder.before = fail
    builder = str(uuid4())
    with pytest.raises(UnavailableError, match="as scripted"):
        await build(service, builder)
    with pytest.raises(ConflictError):
        await build(service)
    await build(service, builder)
    assert (await service.catalogue.index(service.index.key)).is_complete


async def test_who_is_refused_takes_nothing_from_the_builder_when_it_is_told_to_stop(tmp_path: Path) -> None:
    service = await lost_index(tmp_path)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.indexes.take_building(service.index.key, builder="0b5e7a0c", lease=LEASE)
    rebuild: RebuildIndex = service.container.rebuild_index()
    await rebuild._let_go(str(uuid4()))
    with pytest.raises(ConflictError):
        await build(service)


async def test_slow_work_on_many_rungs_of_a_program_keeps_the_right_to_it(tmp_path: Path) -> None:
    service = await lost_index(tmp_path, {"0000_11": LONG, "0001_11": LONG})
    asked = 0

    async def take_long(_: Sequence[str]) -> None:
        nonlocal asked
        asked += 1
        with pytest.raises(ConflictError):
            await anext(service.container.rebuild_index()(str(uuid4())))
        await service.registry.clock.advance(LEASE / 3 - timedelta(seconds=1))

    service.embedder.before = take_long
    await build(service)
    assert asked > 4  # longer than the lease
    assert (await service.catalogue.index(service.index.key)).is_complete
