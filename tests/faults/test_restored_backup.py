"""Postgres comes back as it was some time ago, and the blobs and the vectors do not: row E6 of the fault matrix."""

import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from domain.document import DocumentState
from faults.checker import check
from faults.containers import a_container
from faults.evidence import gathered, unfinished
from faults.history import Client, Outcome, revised, some_files, until
from faults.site import Site, execute

SEED = 20270
_TWO_DAYS_S = 2 * 86_400


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


async def test_what_a_restored_backup_left_apart_is_found_and_mended(site: Site, chance: random.Random) -> None:
    kept, deleted, replaced = (some_files(chance, logics=2) for _ in range(3))
    async with _at_work(site) as client:
        pgm_ids = [(await client.upload(files)).pgm_id for files in (kept, deleted, replaced)]
        await check(site.places, site.history)
    await _back_up(site)
    async with _at_work(site) as client:
        late = await client.upload(some_files(chance, logics=3))
        await client.delete(pgm_ids[1])
        await client.replace(pgm_ids[2], revised(replaced, random.Random(2)))
        await check(site.places, site.history)
    await _restore(site)
    _age(site.places.blobs)

    async with _at_work(site) as client:
        async with a_container(site) as container:
            drifts = [drift async for drift in container.audit_stores()()]
            found = Counter(f"{drift.pgm_id} {drift.kind}" for drift in drifts)
            await container.repair_drift()(drifts)
            await until(lambda: _is_quiet(site), within_s=30)
            removed = {each.prefix async for each in container.collect_garbage()()}
            left = [drift async for drift in container.audit_stores()()]
        expected = {(late.pgm_id, "vectors_unowned"), (late.pgm_id, "blob_orphan"), (pgm_ids[2], "blob_orphan")}
        expected |= {(pgm_id, kind) for pgm_id in pgm_ids[1:] for kind in ("blob_missing", "vectors_missing")}
        assert expected <= {tuple(what.split()) for what in found}
        assert not [what for what in found if what.startswith(f"{pgm_ids[0]} ")]
        assert removed == {f"programs/{late.pgm_id}/r1", f"programs/{pgm_ids[2]}/r2"}
        assert left == []
        assert (await client.search(kept.device, pgm_ids[0])).hits
        assert (await client.search(deleted.device, pgm_ids[1])).outcome is Outcome.OK
    await _assert_that_what_lost_its_bytes_failed_visibly(site, {pgm_ids[1], pgm_ids[2]})


async def test_uploads_after_a_restore_leave_what_stands_under_their_numbers_alone(
    site: Site, chance: random.Random
) -> None:
    files = some_files(chance)
    async with _at_work(site) as client:
        replaced = (await client.upload(files)).pgm_id
        await check(site.places, site.history)
    await _back_up(site)
    async with _at_work(site) as client:
        for _ in range(3):
            await client.upload(some_files(chance))
        await client.replace(replaced, some_files(chance))
        await check(site.places, site.history)
    before = (await gathered(site.places)).blobs
    await _restore(site)

    async with _at_work(site) as client:
        again = [await client.upload(some_files(chance)), await client.replace(replaced, some_files(chance))]
        assert [each.outcome for each in again] == [Outcome.OK, Outcome.OK]
        await until(lambda: _is_quiet(site), within_s=30)
        for each in again:
            assert each.files
            assert (await client.search(each.files.device, each.pgm_id)).hits
    after = (await gathered(site.places)).blobs
    assert before.items() <= after.items()


@asynccontextmanager
async def _at_work(site: Site) -> AsyncIterator[Client]:
    """An API and a worker for the length of the block, and nobody connected to Postgres after it."""
    programs = [site.api(), site.worker()]
    async with site.client(programs[0]) as client:
        yield client
    for program in programs:
        program.kill()
    for program in programs:
        await program.ended(within_s=10)


async def _is_quiet(site: Site) -> bool:
    return not await unfinished(site.places)


async def _back_up(site: Site) -> None:
    name, backup = _names(site)
    await execute(site.servers.postgres.url, f'CREATE DATABASE "{backup}" TEMPLATE "{name}"')


async def _restore(site: Site) -> None:
    name, backup = _names(site)
    await execute(site.servers.postgres.url, f'DROP DATABASE "{name}" WITH (FORCE)')
    await execute(site.servers.postgres.url, f'ALTER DATABASE "{backup}" RENAME TO "{name}"')


def _names(site: Site) -> tuple[str, str]:
    name = site.places.database_url.rpartition("/")[2]
    return name, f"{name}_backup"


def _age(blobs: Path) -> None:
    """Past the time that an operator has to notice."""
    then = time.time() - _TWO_DAYS_S
    for file in blobs.rglob("*"):
        os.utime(file, (then, then))


async def _assert_that_what_lost_its_bytes_failed_visibly(site: Site, pgm_ids: set[str]) -> None:
    for row in (await gathered(site.places)).tables["documents"]:
        has_failed = row["state"] == DocumentState.FAILED
        assert has_failed == (row["pgm_id"] in pgm_ids), (row["document_id"], row["state"], row["failure_code"])
        assert not has_failed or row["failure_code"] == "storage_missing"
