"""A Milvus that is gone, silent, slow or late: rows G1 to G4 and G6 of the fault matrix."""

import asyncio
import random
import signal
import time

import pytest

from builders.tcp_proxy import tcp_proxy
from faults.checker import check
from faults.history import Outcome, some_files, until
from faults.points import Action, Point, armed
from faults.site import Site

SEED = 20264


async def test_without_milvus_uploads_are_accepted_and_searches_refused_and_all_is_indexed_later(site: Site) -> None:
    """G1, G2: a search is answered 503 within 2 s, and at once after a few."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        first = await client.upload(some_files(chance))
        worker = site.worker()
        await check(site.places, site.history)
        await client.status(first.pgm_id)
        site.servers.milvus.kill()
        waits = []
        for _ in range(5):
            begun = time.monotonic()
            assert (await client.search("M1", first.pgm_id)).status == 503
            waits.append(time.monotonic() - begun)
        assert max(waits) < 3
        assert waits[-1] < 0.5
        assert (await client.upload(some_files(chance))).outcome is Outcome.OK
        assert (await client.delete(first.pgm_id)).outcome is Outcome.OK
        await asyncio.sleep(1)
        await site.servers.milvus.start()
        await check(site.places, site.history)
        assert worker.exit_code is None


async def test_a_milvus_that_is_killed_in_the_middle_of_upserts_loses_and_doubles_nothing(site: Site) -> None:
    """G4: a worker is held half-way through its upserts meanwhile."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        for _ in range(3):
            await client.upload(some_files(chance))
        held = site.worker(**armed(Point.WORKER_HALF_UPSERTED, action=Action.STOP), FAULT_LEASE_S="20")
        await held.stopped(within_s=20)
        site.servers.milvus.kill()
        await site.servers.milvus.start()
        held.send(signal.SIGCONT)
        await check(site.places, site.history)


async def test_writes_that_are_answered_late_or_never_are_there_once(site: Site) -> None:
    """G3: acknowledgements are lost, then requests arrive after their caller gave up."""
    chance = random.Random(SEED)
    async with tcp_proxy(site.places.milvus_uri) as proxy, site.client(site.api()) as client:
        site.worker(MILVUS_URI=proxy.url_of(site.places.milvus_uri), FAULT_MILVUS_TIMEOUT_S="1")
        await client.upload(some_files(chance))
        await check(site.places, site.history)
        for swallows_replies, delay_s in ((True, 0.0), (False, 1.5)):
            proxy.weather.swallows_replies, proxy.weather.delay_s = swallows_replies, delay_s
            uploads = [await client.upload(some_files(chance)) for _ in range(3)]
            await client.delete(uploads[0].pgm_id)
            await asyncio.sleep(2)
        proxy.weather.delay_s = 0.0
        await check(site.places, site.history)


@pytest.mark.soak
async def test_a_milvus_that_sleeps_is_outlasted(site: Site) -> None:
    """G3: SIGSTOP while it is written to, longer than its clients wait."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        site.worker(FAULT_MILVUS_TIMEOUT_S="1")
        for _ in range(3):
            uploaded = await client.upload(some_files(chance))
        site.servers.milvus.pause()
        try:
            assert (await client.search("M1")).status == 503
            await client.delete(uploaded.pgm_id)
            await asyncio.sleep(2.5)
        finally:
            site.servers.milvus.resume()
        await check(site.places, site.history)


@pytest.mark.soak
async def test_a_collection_that_is_emptied_comes_back_whole(site: Site) -> None:
    """G5: by hand, under a worker that looks every ten seconds."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        site.worker()
        for _ in range(3):
            await client.upload(some_files(chance))
        await check(site.places, site.history)
        with site.milvus() as (milvus, name):
            milvus.delete(name, filter='chunk_id != ""')
        await until(lambda: _is_incomplete(site), within_s=15)
        assert (await client.search("M1")).status == 503
        await check(site.places, site.history)


async def _is_incomplete(site: Site) -> bool:
    return bool(await site.execute("SELECT 1 FROM vector_indexes WHERE NOT is_complete"))
