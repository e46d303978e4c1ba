"""Deletes beside everything else: rows H1 to H3, H6 and H8 of the fault matrix."""

import asyncio
import random
import signal

from faults.checker import check
from faults.history import Outcome, some_files, until
from faults.nursery import Program
from faults.points import Action, Point, armed, points_of
from faults.site import Site

SEED = 20267


async def test_a_delete_at_any_step_of_the_indexing_leaves_nothing(site: Site) -> None:
    """H1: a worker is held at each step while its program is deleted, and purged by another, and goes on then."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        held: list[Program] = []
        for point in points_of("worker"):
            uploaded = await client.upload(some_files(chance))
            held.append(site.worker(**armed(point, action=Action.STOP), WORKER_JOBS="1", FAULT_LEASE_S="20"))
            await held[-1].stopped(within_s=20)
            if point is Point.WORKER_BEFORE_COMMIT:  # it holds the documents locked: the delete waits for it
                deleting = asyncio.create_task(client.delete(uploaded.pgm_id))
                await asyncio.sleep(0.2)
                held[-1].send(signal.SIGCONT)
                assert (await deleting).outcome is Outcome.OK
                held[-1].send(signal.SIGSTOP)
            else:
                assert (await client.delete(uploaded.pgm_id)).outcome is Outcome.OK
            assert not (await client.search(uploaded.files.device if uploaded.files else "")).hits
        site.worker()
        await until(lambda: _all_purged(site), within_s=20)
        for worker in held:
            worker.send(signal.SIGCONT)
        await check(site.places, site.history)


async def _all_purged(site: Site) -> bool:
    return not await site.execute("SELECT 1 FROM programs WHERE purged_dt IS NULL")


async def test_deletes_before_the_work_begins_make_it_a_no_op(site: Site) -> None:
    """H2, and H3: purges come twice, in another order, and before what they purge is indexed."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        for _ in range(6):
            uploaded = await client.upload(some_files(chance))
            if chance.random() < 0.7:
                await client.delete(uploaded.pgm_id)
        await site.script(
            "INSERT INTO outbox (kind, payload) SELECT kind, payload FROM outbox;"
            "UPDATE outbox SET next_attempt_at = now() - random() * interval '1 hour'"
        )
        for _ in range(2):
            site.worker()
        await check(site.places, site.history)
        await site.script("INSERT INTO outbox (kind, payload) SELECT kind, payload FROM outbox")  # and once more, late
        await check(site.places, site.history)


async def test_the_same_bytes_again_are_a_new_program_that_an_old_purge_leaves_alone(site: Site) -> None:
    """H6: the purge is held after each of its steps while the same files come again and are indexed."""
    files = some_files(random.Random(SEED))
    async with site.client(site.api()) as client:
        for point in (Point.PURGE_STARTED, Point.PURGE_VECTORS, Point.PURGE_BLOBS):
            first = await client.upload(files)
            purging = site.worker(**armed(point, action=Action.STOP), FAULT_LEASE_S="30")
            await _indexed(site, first.pgm_id)
            await client.delete(first.pgm_id)
            await purging.stopped(within_s=20)
            second = await client.upload(files)
            working = site.worker()
            await _indexed(site, second.pgm_id)
            purging.send(signal.SIGCONT)
            await check(site.places, site.history)
            assert (await client.search(files.device, second.pgm_id)).hits
            for worker in (working, purging):
                worker.kill()


async def _indexed(site: Site, pgm_id: str) -> None:
    await until(lambda: _is_indexed(site, pgm_id), within_s=20)


async def _is_indexed(site: Site, pgm_id: str) -> bool:
    rows = await site.execute("SELECT state FROM documents WHERE pgm_id = $1 AND state <> 'skipped'", pgm_id)
    return bool(rows) and all(row["state"] == "indexed" for row in rows)
