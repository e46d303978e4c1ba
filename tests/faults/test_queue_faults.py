"""A queue that forgets, remembers too much, is slow, full or gone: rows B and C of the fault matrix."""

import asyncio
import random

from faults.checker import check
from faults.history import Outcome, some_files
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
