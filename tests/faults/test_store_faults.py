"""Postgres and the blob store that are gone, slow or wrong: rows E and F of the fault matrix."""

import asyncio
import random
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from builders.tcp_proxy import tcp_proxy
from entrypoints.embedded.ports import LOOPBACK
from faults.checker import Allowed, check
from faults.history import Client, Operation, Outcome, some_files, until
from faults.nursery import Program
from faults.site import Site

SEED = 20265


async def test_without_postgres_nothing_is_accepted_or_answered_with_nothing(site: Site) -> None:
    """E1: 503 with Retry-After, soon; the worker outlasts it."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        worker = site.worker()
        uploaded = await client.upload(some_files(chance))
        await check(site.places, site.history)
        site.servers.postgres.kill()
        await asyncio.sleep(0.2)
        for answer in await asyncio.gather(*(_asked(client, uploaded, chance) for _ in range(3))):
            assert {operation.status for operation in answer} == {503}
        await site.servers.postgres.start()
        await until(lambda: _is_accepted(client, chance), within_s=15)
        await check(site.places, site.history)
        assert worker.exit_code is None


async def test_a_postgres_that_may_lose_what_it_committed_is_told_of_at_each_start_and_by_readiness(site: Site) -> None:
    """E7: the servers of these tests are set up like that, to be quick."""
    api, worker = site.api(), site.worker()
    async with site.client(api):
        for program in (api, worker):
            await until(lambda program=program: "postgres: fsync off" in program.said, within_s=20)  # type: ignore[misc]
        await until(lambda: _is_ready(site, api), within_s=20)
        assert "a crash may cost what was accepted" in await site.told_of_dependencies(api)
        await check(site.places, site.history)


async def _is_ready(site: Site, api: Program) -> bool:
    return (await site.readiness(api))[0] == 200


async def _asked(client: Client, uploaded: Operation, chance: random.Random) -> list[Operation]:
    begun = time.monotonic()
    answers = [
        await client.upload(some_files(chance)),
        await client.search("M1", uploaded.pgm_id),
        await client.status(uploaded.pgm_id),
        await client.delete(uploaded.pgm_id),
    ]
    assert time.monotonic() - begun < 15
    return answers


async def _is_accepted(client: Client, chance: random.Random) -> bool:
    return (await client.upload(some_files(chance))).outcome is Outcome.OK


async def test_an_upload_is_refused_by_its_head_alone_while_postgres_is_down(site: Site) -> None:
    """E1: a hundred megabytes are announced, and none of them sent."""
    api = site.api()
    async with site.client(api) as client:
        assert (await client.upload(some_files(random.Random(SEED)))).outcome is Outcome.OK
        site.servers.postgres.kill()
        reader, writer = await asyncio.open_connection(LOOPBACK, int(api.url.rpartition(":")[2]))
        writer.write(
            b"POST /v1/programs HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 15)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in answer.lower()
        await site.servers.postgres.start()
        site.worker()
        await check(site.places, site.history)


async def test_a_postgres_that_restarts_under_load_loses_nothing(site: Site) -> None:
    """E2: once in order, once by kill -9, in the middle of uploads, deletes and the indexing."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.supervised("worker", "worker"):
        load = asyncio.create_task(_go_on(client, chance))
        await asyncio.sleep(0.7)
        await site.servers.postgres.restart()
        await asyncio.sleep(0.7)
        site.servers.postgres.kill()
        await site.servers.postgres.start()
        before = len(site.history.accepted)
        await until(lambda: len(site.history.accepted) > before + 2, within_s=30)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        assert before
        await check(site.places, site.history)


async def _go_on(client: Client, chance: random.Random) -> None:
    while True:
        uploaded = await client.upload(some_files(chance))
        if uploaded.outcome is Outcome.OK and chance.random() < 0.3:
            await client.delete(uploaded.pgm_id)
        await asyncio.sleep(0.02)


@pytest.mark.soak
async def test_an_upload_that_waits_for_a_lock_is_refused_in_time_and_others_are_served(site: Site) -> None:
    """E3: somebody holds the table of programs; reading goes on."""
    async with site.client(site.api()) as client:
        uploaded = await client.upload(some_files(random.Random(1)))
        connection = await asyncpg.connect(site.places.database_url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
                begun = time.monotonic()
                waiting = asyncio.create_task(client.upload(some_files(random.Random(2))))
                await asyncio.sleep(0.3)
                assert (await client.status(uploaded.pgm_id)).outcome is Outcome.OK
                assert (await waiting).status == 503
                assert time.monotonic() - begun < 10
        finally:
            await connection.close()
        site.worker()
        await check(site.places, site.history)


@pytest.mark.soak
async def test_a_postgres_that_is_slow_or_cut_off_again_and_again_loses_nothing(site: Site) -> None:
    """E2, E3: by the proxy, in front of API and worker alike."""
    chance = random.Random(SEED)
    async with tcp_proxy(site.places.database_url) as proxy:
        through = {"DATABASE_URL": proxy.url_of(site.places.database_url)}
        async with site.client(site.api(**through)) as client, site.supervised("worker", **through):
            await client.upload(some_files(chance))
            load = asyncio.create_task(_go_on(client, chance))
            proxy.weather.delay_s = 0.005
            async with asyncio.timeout(30):
                while len(site.history.accepted) < 4:
                    await asyncio.sleep(chance.uniform(0.3, 0.8))
                    proxy.cut()
            proxy.weather.delay_s = 0.0
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
            await check(site.places, site.history)


async def test_a_blob_store_whose_volume_is_away_is_waited_for(site: Site) -> None:
    """F1, F2: uploads are refused, documents and purges wait; nothing is said to be missing or removed."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        indexed = await client.upload(some_files(chance))
        worker = site.worker(FAULT_READ_IN_PROCESS="")
        await check(site.places, site.history)
        worker.send(signal.SIGSTOP)
        for _ in range(2):
            await client.upload(some_files(chance))
        site.places.blobs.rename(site.folder / "away")
        worker.send(signal.SIGCONT)
        assert (await client.upload(some_files(chance))).status == 503
        await client.delete(indexed.pgm_id)
        await asyncio.sleep(2)
        (site.folder / "away").rename(site.places.blobs)
        await check(site.places, site.history)


async def test_a_process_that_starts_while_the_volume_is_away_takes_no_empty_folder_for_it(site: Site) -> None:
    """F2: an empty folder stands where it is mounted. Nothing is stored in it, and nothing is missing from it."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        for _ in range(2):
            await client.upload(some_files(chance))
    site.end()
    away = site.places.blobs.rename(site.folder / "away")
    site.places.blobs.mkdir()
    api = site.api()
    async with site.client(api) as client:
        site.worker(FAULT_READ_IN_PROCESS="")
        assert (await client.upload(some_files(chance))).status == 503
        assert "its volume is away" in await site.told_of_dependencies(api)
        await until(lambda: _was_put_off(site), within_s=20)
        await client.delete("PGM_2")
        await asyncio.sleep(1)
        assert not _everything_below(site.places.blobs)
        site.places.blobs.rmdir()
        away.rename(site.places.blobs)
        await check(site.places, site.history)
        assert (await client.upload(some_files(chance))).outcome is Outcome.OK
        await check(site.places, site.history)


async def _was_put_off(site: Site) -> bool:
    return bool(await site.execute("SELECT 1 FROM outbox WHERE last_error LIKE '%volume is away%'"))


def _everything_below(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _other_bytes(path: Path) -> None:
    """The same members, one of them with other content."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content.replace(b"OUT", b"SET"))


@pytest.mark.parametrize(
    ("spoil", "code"), [(_half, "storage_corrupt"), (_other_bytes, "storage_corrupt"), (Path.unlink, "storage_missing")]
)
async def test_an_archive_that_is_not_what_was_sent_is_never_indexed(
    site: Site, spoil: Callable[[Path], None], code: str
) -> None:
    """F3, F4, F7, F8: cut short, overwritten, gone. Its neighbour is indexed."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        spoilt = await client.upload(some_files(chance))
        await client.upload(some_files(chance))
        spoil(site.places.blobs / "objects" / "programs" / spoilt.pgm_id / "r1" / "zip" / "ladder.zip")
        site.worker(FAULT_READ_IN_PROCESS="")
        await until(lambda: _are_settled(site), within_s=20)
        rows = await site.execute("SELECT document_type, pgm_id, state, failure_code FROM documents")
        ladders = [row for row in rows if row["document_type"] == "PGM_LADDER_CSV"]
        assert {row["failure_code"] for row in ladders if row["pgm_id"] == spoilt.pgm_id} == {code}
        assert {row["state"] for row in ladders if row["pgm_id"] != spoilt.pgm_id} == {"indexed"}
        await client.delete(spoilt.pgm_id)  # the rest of the checker's questions is for its neighbour
        await check(site.places, site.history, allowed=Allowed(failures={code}))


async def _are_settled(site: Site) -> bool:
    return not await site.execute("SELECT 1 FROM documents WHERE state IN ('pending', 'indexing')")
