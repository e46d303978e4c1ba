"""Workers that die: rows D1, D2, D4 and D5 of the fault matrix, and B1 to B3 on their relays."""

import asyncio
import random
import signal
from collections.abc import Sequence

import pytest
from arq.connections import ArqRedis

from adapters.queue.arq_dispatcher import HANDLE_EVENT
from adapters.queue.redis_pool import QUEUE_NAME, opened_redis
from faults.campaigns import Campaign
from faults.checker import check
from faults.history import Client, some_files, until
from faults.nursery import Program
from faults.points import Action, Point, armed, points_of
from faults.site import LEASE_S, Site

SEED = 20261


async def test_workers_that_are_killed_at_every_step_lose_nothing_and_double_nothing(site: Site) -> None:
    """Every point of relay, worker and purge, three workers dying beside each other."""
    async with site.client(site.api()) as client:
        campaign = Campaign(site=site, client=client, chance=random.Random(SEED))
        points = points_of("relay", "worker", "purge")
        await campaign.run(points, at_once=3)
        assert set(campaign.crashes) == set(points)
        site.worker()
        await check(site.places, site.history)
        assert await campaign.duplicate_deliveries() > 0


@pytest.mark.parametrize("point", [Point.WORKER_PARSED, Point.WORKER_HALF_UPSERTED])
async def test_a_worker_that_is_told_to_stop_hands_its_job_back_at_once_and_uncounted(site: Site, point: Point) -> None:
    async with site.client(site.api()) as client:
        await client.upload(some_files(random.Random(SEED)))
        stopped = site.worker(**armed(point, action=Action.TERMINATE), FAULT_LEASE_S="60")
        assert await stopped.ended(within_s=20) == 0, stopped.said
        (event,) = await site.execute(
            "SELECT attempts, lease_token, next_attempt_at <= now() AS is_due, done_at IS NOT NULL AS is_done"
            " FROM outbox"
        )
        if not event["is_done"]:  # the rest of so little work may be done before the signal is heard
            assert dict(event) == {"attempts": 0, "lease_token": None, "is_due": True, "is_done": False}
        site.worker()
        await check(site.places, site.history, within_s=10)


@pytest.mark.soak
async def test_no_worker_of_many_misses_that_it_is_told_to_stop(site: Site) -> None:
    """D2: one in six did, of those that were asking their queue at that moment."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        for _ in range(40):
            await client.upload(some_files(chance))
            stopped = site.worker(**armed(Point.WORKER_PARSED, action=Action.TERMINATE), FAULT_LEASE_S="60")
            assert await stopped.ended(within_s=10) == 0, stopped.said
        site.worker()
        await check(site.places, site.history)


_ASLEEP = [Point.WORKER_PARSED, Point.WORKER_HALF_UPSERTED, Point.WORKER_UPSERTED, Point.WORKER_READ_BACK]


async def test_workers_that_sleep_longer_than_their_leases_record_nothing_when_they_wake_up(site: Site) -> None:
    """D4: others have done their work meanwhile, or have purged what they worked on."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        zombies = await _fallen_asleep(site, client, chance, _ASLEEP)
        for operation in site.history.of("upload")[::2]:
            await client.delete(operation.pgm_id)
        site.worker()
        await check(site.places, site.history)
        for zombie in zombies:
            zombie.send(signal.SIGCONT)
        await until(lambda: all("passed on" in zombie.said for zombie in zombies), within_s=20)
        await asyncio.sleep(0.5)  # for what they remove after that line
        await check(site.places, site.history)


async def test_a_worker_that_sleeps_in_its_transaction_is_waited_for(site: Site) -> None:
    """D4: the row of its event is locked, so that nobody can have taken it."""
    async with site.client(site.api()) as client:
        await client.upload(some_files(random.Random(SEED)))
        asleep = site.worker(**armed(Point.WORKER_BEFORE_COMMIT, action=Action.STOP))
        await asleep.stopped(within_s=20)
        site.worker()
        await asyncio.sleep(2 * LEASE_S)
        asleep.send(signal.SIGCONT)
        await check(site.places, site.history)


async def _fallen_asleep(site: Site, client: Client, chance: random.Random, points: Sequence[Point]) -> list[Program]:
    """A worker asleep at each point, with an upload in its hands that no other has."""
    zombies: list[Program] = []
    for point in points:
        await client.upload(some_files(chance))
        zombies.append(site.worker(**armed(point, action=Action.STOP), WORKER_JOBS="1", FAULT_LEASE_S="20"))
        await zombies[-1].stopped(within_s=20)
    await site.execute("UPDATE outbox SET next_attempt_at = now() WHERE done_at IS NULL")  # their leases run out
    return zombies


@pytest.mark.parametrize("deliveries", [pytest.param(2, marks=pytest.mark.soak), 10])
async def test_a_claim_that_is_delivered_often_is_worked_on_once(site: Site, deliveries: int) -> None:
    """D5: in parallel, in two workers and in one, and one after the other."""
    async with site.client(site.api()) as client:
        await client.upload(some_files(random.Random(SEED)))
        (claim,) = await site.execute(
            "UPDATE outbox SET lease_token = gen_random_uuid(), next_attempt_at = now() + interval '20 s'"
            " RETURNING event_id, lease_token::text AS token"
        )
        async with opened_redis(site.places.redis_url) as queue:
            for number in range(deliveries):
                await queue.enqueue_job(HANDLE_EVENT, claim["event_id"], claim["token"], _job_id=f"again:{number}")
            site.worker(WORKER_JOBS="4")
            site.worker(WORKER_JOBS="4")
            await check(site.places, site.history, within_s=15)
            await until(lambda: _is_empty(queue), within_s=5)
        assert await Campaign(site=site, client=client, chance=random.Random()).duplicate_deliveries() == 0


async def _is_empty(queue: ArqRedis) -> bool:
    return int(await queue.zcard(QUEUE_NAME)) == 0
