"""Garbage is what nobody owns: it goes, and nothing else does."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.collect_garbage import Garbage, Removed
from application.spool import SCRATCH_PREFIX
from application.sweep_uploads import LONGEST_UPLOAD
from builders.drift import audited
from builders.service import Service, a_service
from domain.errors import UnavailableError
from domain.ports.blob_store import KeepsHalfWritten
from fakes.blob_store import InMemoryBlobStore

LEFT = "programs/PGM_9/r1"
A_DAY = timedelta(days=1)


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    """A program that is registered and indexed, and orphans of another."""
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    leave(service)
    return service


def leave(service: Service, prefix: str = LEFT) -> None:
    for name in ("zip/ladder.zip", "template/template.xlsx"):
        service.blobs._blobs[f"{prefix}/{name}"] = b"left"


def below(service: Service, prefix: str) -> list[str]:
    return [key for key in service.blobs._blobs if key.startswith(f"{prefix}/")]


async def collected(service: Service, *, is_dry: bool = False) -> list[Removed]:
    return [removed async for removed in service.container.collect_garbage()(is_dry=is_dry)]


async def test_orphans_go_and_what_is_owned_stays(service: Service) -> None:
    owned = below(service, "programs/PGM_1")
    assert await collected(service) == [Removed(garbage=Garbage.ORPHANS, prefix=LEFT, count=2)]
    assert below(service, "programs") == owned
    assert await audited(service) == []
    assert await collected(service) == []


async def test_a_dry_run_tells_the_same_and_removes_nothing(service: Service) -> None:
    before = dict(service.blobs._blobs)
    dry = await collected(service, is_dry=True)
    assert service.blobs._blobs == before
    assert service.registry.committed.uploads == {}
    assert await collected(service) == dry


async def test_orphans_of_today_stay(service: Service) -> None:
    service.blobs._modified = service.registry.clock() - A_DAY + timedelta(minutes=1)
    assert await collected(service) == []
    service.blobs._modified -= timedelta(minutes=2)
    assert len(await collected(service)) == 1


async def test_the_blobs_of_an_upload_under_way_stay(service: Service) -> None:
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.uploads.begin(LEFT)
    assert await collected(service) == []
    assert len(below(service, LEFT)) == 2


async def test_an_upload_that_begins_after_the_look_and_before_the_removal_stays(service: Service) -> None:
    collect = service.container.collect_garbage()
    find = collect.find_orphans

    async def find_and_be_overtaken() -> AsyncIterator[object]:
        async for orphans in find():
            async with service.container.unit_of_work().begin() as transaction:
                await transaction.uploads.begin(LEFT)
            yield orphans

    assert [removed async for removed in replace(collect, find_orphans=find_and_be_overtaken)()] == []  # type: ignore[arg-type]  # called alike
    assert service.registry.committed.uploads.keys() == {LEFT}
    assert len(below(service, LEFT)) == 2


async def test_a_dry_run_leaves_the_claim_of_another_collector(service: Service) -> None:
    collect = service.container.collect_garbage()
    find = collect.find_orphans

    async def find_and_be_overtaken() -> AsyncIterator[object]:
        async for orphans in find():
            async with service.container.unit_of_work().begin() as transaction:
                assert await transaction.uploads.take_unowned(LEFT)
            yield orphans

    dry = replace(collect, find_orphans=find_and_be_overtaken)  # type: ignore[arg-type]  # called alike
    assert [removed async for removed in dry(is_dry=True)] == []
    assert service.registry.committed.uploads.keys() == {LEFT}


async def test_no_upload_begins_under_a_prefix_that_is_being_removed(service: Service) -> None:
    class Store(InMemoryBlobStore):
        async def delete_below(self, prefix: str) -> int:
            uploads = service.registry.committed.uploads
            assert uploads[prefix].is_taken
            return await super().delete_below(prefix)

    store = Store()
    store._blobs = service.blobs._blobs
    service.container.blobs.override(store)
    assert len(await collected(service)) == 1
    assert service.registry.committed.uploads == {}


async def test_nothing_below_a_revision_that_a_live_program_has_goes(service: Service) -> None:
    leave(service, "programs/PGM_1/r1/foreign")
    before = below(service, "programs/PGM_1")
    assert [removed.prefix for removed in await collected(service)] == [LEFT]
    assert below(service, "programs/PGM_1") == before


async def test_a_revision_that_a_live_program_does_not_have_goes(service: Service) -> None:
    before = below(service, "programs/PGM_1")
    leave(service, "programs/PGM_1/r7")
    assert {removed.prefix for removed in await collected(service)} == {LEFT, "programs/PGM_1/r7"}
    assert below(service, "programs/PGM_1") == before


async def test_a_deleted_program_that_is_not_purged_is_left_to_its_purge(service: Service) -> None:
    await service.container.delete_program()("PGM_1")
    assert [removed.prefix for removed in await collected(service)] == [LEFT]
    assert below(service, "programs/PGM_1/r1")


async def test_what_a_purged_program_left_goes(service: Service) -> None:
    await service.container.delete_program()("PGM_1")
    await service.work()
    leave(service, "programs/PGM_1/r1")
    assert [removed.prefix for removed in await collected(service)] == ["programs/PGM_1/r1", LEFT]


async def test_what_stands_beside_the_programs_stays(service: Service) -> None:
    for key in ("programs/README", "programs/PGM_8/README", "readiness/probe"):
        service.blobs._blobs[key] = b""
    await collected(service)
    assert {"programs/README", "programs/PGM_8/README", "readiness/probe"} <= service.blobs._blobs.keys()


async def test_whoever_dies_in_between_has_the_sweep_go_on(service: Service) -> None:
    async def die(prefix: str) -> int:
        raise UnavailableError("blob store", prefix)

    service.blobs.delete_below = die  # type: ignore[method-assign]  # in just this moment
    with pytest.raises(UnavailableError):
        await collected(service)
    del service.blobs.delete_below
    await service.registry.clock.advance(2 * LONGEST_UPLOAD)
    assert await service.container.sweep_uploads()() == 1
    assert below(service, LEFT) == []


async def test_abandoned_uploads_are_cleaned_up_after(service: Service) -> None:
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.uploads.begin(LEFT)
    await service.registry.clock.advance(LONGEST_UPLOAD + timedelta(minutes=1))
    dry = await collected(service, is_dry=True)
    assert dry == [Removed(garbage=Garbage.UPLOAD, prefix=LEFT, count=2)]
    assert len(below(service, LEFT)) == 2
    assert await collected(service) == dry
    assert below(service, LEFT) == []
    assert service.registry.committed.uploads == {}


async def test_scratch_folders_of_before_yesterday_go(service: Service) -> None:
    old, young, foreign = (service.folder / name for name in (f"{SCRATCH_PREFIX}a", f"{SCRATCH_PREFIX}b", "c"))
    for folder in (old, young, foreign):
        folder.mkdir()
    for folder in (old, foreign):
        os.utime(folder, (0, 0))
    await collected(service)
    leave(service)
    assert Removed(garbage=Garbage.SCRATCH, count=1) not in await collected(service, is_dry=True)
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)


async def test_a_store_that_keeps_half_written_blobs_is_swept(service: Service) -> None:
    class Store(InMemoryBlobStore, KeepsHalfWritten):
        async def sweep_temporary(self, *, older_than: timedelta) -> int:
            return 3 if older_than == A_DAY else 0

    service.container.blobs.override(Store())
    assert await collected(service, is_dry=True) == []
    assert await collected(service) == [Removed(garbage=Garbage.HALF_WRITTEN, count=3)]
