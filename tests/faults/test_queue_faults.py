"""A queue that forgets, remembers too much, is slow, full or gone: rows B and C of the fault matrix."""

import asyncio
import random
import time

import asyncpg
import pytest

from adapters.queue.redis_pool import serialize
from builders.tcp_proxy import tcp_proxy
from faults.checker import Allowed, check
from faults.history import Outcome, some_files, until
from faults.points import Point, armed
from faults.site import LEASE_S, Site

SEED = 20263


async def test_jobs_that_killed_workers_left_in_the_queue_do_not_stop_the_flow(site: Site) -> None:
    """B2, C8: arq reads the oldest hundred alone, and passes over those that are begun."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        uploaded = await client.upload(some_files(chance))
        await site.worker(**armed(Point.WORKER_STARTED)).ended(within_s=20)
        async with site.redis() as redis:
            (job,) = await redis.zrange("ladderbase:queue", 0, -1)
            assert 0 < await redis.pttl(f"arq:in-progress:{job.decode()}") <= LEASE_S * 1_000
            for number in range(120):
                left = f"evt:1:{number}"
                await redis.zadd("ladderbase:queue", {left: 1})
                await redis.psetex(f"arq:in-progress:{left}", int(LEASE_S * 1_000), b"1")
        site.worker()
        await check(site.places, site.history, within_s=15)
        assert uploaded.outcome is Outcome.OK


async def test_a_queue_that_is_emptied_again_and_again_loses_nothing(site: Site) -> None:
    """C2, C3: FLUSHALL while events wait, are claimed and are worked on."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.redis() as redis:
        for _ in range(2):
            site.worker(FAULT_EMBED_S="0.05")
        for _ in range(12):
            await client.upload(some_files(chance))
            await asyncio.sleep(chance.uniform(0.0, 0.15))
            await redis.flushall()
        await check(site.places, site.history)


async def test_events_that_wait_for_workers_are_given_out_in_bounded_batches(site: Site) -> None:
    """B6: a relay that was away drains what has piled up by eights; a pass beyond that may add one."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.redis() as redis:
        for _ in range(24):
            await client.upload(some_files(chance, logics=1, rungs=1))
        site.worker()
        lengths = []
        while await site.execute("SELECT 1 FROM outbox WHERE done_at IS NULL"):
            lengths.append(await redis.zcard("ladderbase:queue"))
            await asyncio.sleep(0.02)
        assert 0 < max(lengths) <= 14
        await check(site.places, site.history)


@pytest.mark.soak
async def test_ten_relays_give_each_claim_out_once(site: Site) -> None:
    """B5: every event is begun once, however many relays and workers there are."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        for _ in range(20):
            await client.upload(some_files(chance, logics=1, rungs=1))
        for _ in range(10):
            site.worker(FAULT_LEASE_S="30", WORKER_JOBS="1")
        await check(site.places, site.history)
    assert {row["attempts"] for row in await site.execute("SELECT attempts FROM outbox")} == {1}


async def test_an_event_that_nobody_can_read_is_buried_with_a_code_and_holds_nobody_up(site: Site) -> None:
    """B8, and D10: what nobody has known for a day."""
    await site.script(
        """INSERT INTO outbox (kind, payload, created_at) VALUES
           ('moon_phase_changed', '{"schema": 1}', now() - interval '25 hours'),
           ('documents_registered', '{"schema": 7, "pgm_id": "PGM_1", "documents": []}', now() - interval '25 hours'),
           ('documents_registered', '"text"', now()),
           ('program_deleted', '[]', now())"""
    )
    async with site.client(site.api()) as client:
        await client.upload(some_files(random.Random(SEED)))
        site.worker()
        await check(site.places, site.history, within_s=10, allowed=Allowed(dead_events=4))
    errors = await site.execute("SELECT last_error FROM outbox WHERE dead_at IS NOT NULL")
    assert {row["last_error"] for row in errors} == {"event_unreadable", "event_unknown"}


async def test_an_event_of_a_newer_api_is_left_to_a_newer_worker(site: Site) -> None:
    """D10: an old worker puts it off, uncounted, and goes on with what it knows."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        newer = await client.upload(some_files(chance))
        await site.execute("UPDATE outbox SET payload = payload || '{\"schema\": 2}', kind = 'documents_came'")
        await client.upload(some_files(chance))
        worker = site.worker()
        await until(lambda: "left to others" in worker.said, within_s=20)
        (event,) = await site.execute(
            "SELECT attempts, lease_token, dead_at, next_attempt_at > now() + interval '50 s' AS is_put_off"
            " FROM outbox WHERE kind = 'documents_came'"
        )
        assert dict(event) == {"attempts": 0, "lease_token": None, "dead_at": None, "is_put_off": True}
        await site.execute(  # what the newer worker reads, and when it comes
            "UPDATE outbox SET payload = payload || '{\"schema\": 1}', kind = 'documents_registered',"
            " next_attempt_at = now() WHERE kind = 'documents_came'"
        )
        assert newer.outcome is Outcome.OK
        await check(site.places, site.history)


async def test_an_event_that_is_committed_late_is_found(site: Site) -> None:
    """B9: its number is lower than those that were done long before."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        await client.upload(some_files(chance))
        connection = await asyncpg.connect(site.places.database_url)
        try:
            late = connection.transaction()
            await late.start()
            await connection.execute("INSERT INTO outbox (kind, payload) SELECT kind, payload FROM outbox LIMIT 1")
            await client.upload(some_files(chance))
            site.worker()
            await check(site.places, site.history)
            await late.commit()
        finally:
            await connection.close()
        await check(site.places, site.history, within_s=5)
    assert [row["attempts"] for row in await site.execute("SELECT attempts FROM outbox ORDER BY event_id")] == [1, 1, 1]


async def test_a_listener_whose_connection_is_silent_is_replaced_by_the_poll(site: Site) -> None:
    """B7: the connection is there, and no notification comes through."""
    async with tcp_proxy(site.places.database_url) as proxy, site.client(site.api()) as client:
        proxy.weather.deaf_after = lambda sent: b"LISTEN" in sent
        site.worker(DATABASE_URL=proxy.url_of(site.places.database_url))
        await until(lambda: proxy.deaf_connections > 0, within_s=10)
        await client.upload(some_files(random.Random(SEED)))
        await check(site.places, site.history, within_s=5)


async def test_an_enqueue_whose_answer_is_lost_is_done_once(site: Site) -> None:
    """B3: the queue takes the jobs, the relay hears nothing, and worker and relay start again."""
    chance = random.Random(SEED)
    async with tcp_proxy(site.places.redis_url) as proxy, site.client(site.api()) as client:
        proxy.weather.deaf_after = lambda sent: b"evt:" in sent and b"PSETEX" in sent
        async with site.supervised("worker", REDIS_URL=proxy.url_of(site.places.redis_url)):
            for _ in range(3):
                await client.upload(some_files(chance))
            await until(lambda: proxy.deaf_connections > 0, within_s=10)
            proxy.weather.deaf_after = None
            proxy.cut()
            await check(site.places, site.history)


async def test_uploads_are_accepted_while_the_queue_is_gone_and_indexed_when_it_is_back(site: Site) -> None:
    """C1, C9: the worker ends with exit code 1, whoever runs it starts it again."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        first = site.worker()
        await client.upload(some_files(chance))
        await check(site.places, site.history)
        site.servers.valkey.kill()
        assert await first.ended(within_s=20) == 1
        assert "the worker stops" in first.said
        async with site.supervised("worker"):
            assert (await client.upload(some_files(chance))).outcome is Outcome.OK
            assert (await client.search("M1")).status == 200
            await asyncio.sleep(1.0)
            await site.servers.valkey.start()
            await check(site.places, site.history)


@pytest.mark.soak
async def test_a_queue_that_is_silent_for_a_while_costs_no_upload_and_no_search(site: Site) -> None:
    """C7: longer than the timeout of its clients."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.supervised("worker"):
        for _ in range(3):
            await client.upload(some_files(chance))
        site.servers.valkey.pause()
        try:
            begun = time.monotonic()
            assert (await client.upload(some_files(chance))).outcome is Outcome.OK
            assert (await client.search("M1")).status == 200
            assert time.monotonic() - begun < 5
            await asyncio.sleep(6)
        finally:
            site.servers.valkey.resume()
        await check(site.places, site.history)


async def test_jobs_that_come_back_with_an_old_snapshot_are_no_ops(site: Site) -> None:
    """C4: what was in the queue before the work was done is there again, with programs that are deleted by now."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.redis() as redis:
        for _ in range(3):
            await client.upload(some_files(chance))
        site.worker(**armed(Point.RELAY_DISPATCHED, passage=3))
        await until(lambda: _are_queued(site, 3), within_s=10)
        snapshot = {key: await redis.dump(key) for key in await redis.keys("*")}
        site.worker()
        await check(site.places, site.history)
        await client.delete("PGM_1")
        await check(site.places, site.history)
        for key, content in snapshot.items():
            await redis.restore(key, 0, content, replace=True)
        await until(lambda: _are_queued(site, 0), within_s=10)
        await check(site.places, site.history)


async def _are_queued(site: Site, count: int) -> bool:
    async with site.redis() as redis:
        return int(await redis.zcard("ladderbase:queue")) == count


async def test_a_full_queue_is_an_outage_that_passes(site: Site) -> None:
    """C5: 'OOM command not allowed'."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client, site.redis() as redis, site.supervised("worker"):
        await client.upload(some_files(chance))
        await check(site.places, site.history)
        await redis.config_set("maxmemory", "1")
        try:
            assert (await client.upload(some_files(chance))).outcome is Outcome.OK
            await asyncio.sleep(2)
        finally:
            await redis.config_set("maxmemory", "0")
        await check(site.places, site.history)


async def test_a_worker_refuses_a_queue_that_may_forget_and_readiness_says_why(site: Site) -> None:
    """C6: what is accepted meanwhile is indexed once the policy is mended."""
    api = site.api()
    async with site.client(api) as client, site.redis() as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            refusing = site.worker()
            assert await refusing.ended(within_s=20) == 1
            assert "maxmemory-policy is allkeys-lru, set it to noeviction" in refusing.said
            assert (await site.readiness(api))[0] == 503
            assert "maxmemory-policy" in await site.told_of_dependencies(api)
            assert (await client.upload(some_files(random.Random(SEED)))).outcome is Outcome.OK
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")
        site.worker()
        await check(site.places, site.history)
        assert "maxmemory-policy" not in await site.told_of_dependencies(api)


async def test_garbage_in_the_queue_is_dropped_and_holds_nobody_up(site: Site) -> None:
    """C8: no payload, a payload that is none, an unknown job, wrong arguments; a stranger's keys stay."""
    async with site.client(site.api()) as client, site.redis() as redis:
        await redis.set("somebody:else", b"keeps this")
        for name, payload in {
            "evt:1:empty": None,
            "evt:1:bytes": b"\xff\xfe\x00",
            "evt:1:unknown": serialize({"t": 1, "f": "moon_phase", "a": [], "k": {}, "et": 1}),
            "evt:1:arguments": serialize({"t": 1, "f": "handle_event", "a": ["x"], "k": {}, "et": 1}),
            "evt:1:types": serialize({"t": 1, "f": "handle_event", "a": ["x", 7], "k": {}, "et": 1}),
        }.items():
            await redis.zadd("ladderbase:queue", {name: 1})
            if payload is not None:
                await redis.set(f"arq:job:{name}", payload)
        await client.upload(some_files(random.Random(SEED)))
        worker = site.worker()
        await check(site.places, site.history, within_s=10)
        await until(lambda: _are_queued(site, 0), within_s=5)
        assert worker.exit_code is None
        assert await redis.get("somebody:else") == b"keeps this"


async def test_clocks_of_machines_that_differ_by_hours_delay_nothing_for_long(site: Site) -> None:
    """J1: leases are the database's; a job from a machine that is ahead waits until a claim of another takes it."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        site.worker(FAULT_CLOCK_S="3600")
        site.worker(FAULT_CLOCK_S="-3600")
        for _ in range(6):
            await client.upload(some_files(chance))
        await check(site.places, site.history)
