"""Many faults, in one order that a seed names: some in every run of the tests, the rest by `make soak`.

`SOAK_SEED` repeats a run, `SOAK_S` says how long the nemesis goes on, `SOAK_RUNS` how often each point is crashed at,
`SOAK_SEQUENCES` how many sequences are compared with the model.
The last lines of a run tell the seed and the figures.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import seed, settings

from adapters.queue.redis_pool import QUEUE_NAME
from faults.campaigns import Campaign
from faults.checker import Allowed, check
from faults.history import Outcome, some_files
from faults.machine import ServiceMachine, run_quietly
from faults.nemesis import Load, besieged
from faults.points import CRASHED, Point, armed, points_of
from faults.site import Site
from faults.whole_machine import live_and_die

_SHORT_SEED = 20269
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
Told = Callable[[str], None]


@pytest.fixture
def told(figures: list[str], request: pytest.FixtureRequest) -> Told:
    figures.append(f"{request.node.name}: SOAK_SEED={_seed(request.node)}")
    return lambda line: figures.append(f"  {line}")


def _seed(test: pytest.Item) -> int:
    """The short test is the same each time unless told otherwise."""
    return SEED if test.get_closest_marker("soak") or "SOAK_SEED" in os.environ else _SHORT_SEED


async def test_a_nemesis_for_a_moment(site: Site, told: Told, request: pytest.FixtureRequest) -> None:
    seed = _seed(request.node)
    await _soaked(site, told, seed=seed, seconds=10, documents=80, every_s=(0.1, 0.8))


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_a_nemesis_for_ten_minutes(site: Site, told: Told) -> None:
    seconds = float(os.environ.get("SOAK_S", "600"))
    await _soaked(site, told, seed=SEED, seconds=seconds, documents=200, every_s=(5.0, 15.0))


async def _soaked(
    site: Site, told: Told, *, seed: int, seconds: float, documents: int, every_s: tuple[float, float]
) -> None:
    """Strikes for so long, while at least so many documents are registered; then quiet, then the checker."""
    chance = random.Random(seed)
    load = Load(chance=random.Random(chance.random()))
    async with besieged(site, chance) as (client, nemesis):
        striking = asyncio.create_task(nemesis.strike_for(seconds, every_s=every_s))
        pause_s = seconds / documents  # about three documents a program, by two clients
        await asyncio.gather(
            striking,
            *(load.go_on(client, until_documents=documents, pause_s=pause_s * 3) for _ in range(2)),
        )
        evidence = await check(site.places, site.history, within_s=90, allowed=Allowed(most_attempts=100))
    told(f"{seconds:g} s, strikes: {dict(sorted(nemesis.struck.items()))}")
    told(f"{load.documents} documents accepted; operations: {dict(sorted(site.history.counted().items()))}")
    starts = [row["attempts"] for row in evidence.tables["outbox"]]
    told(f"{len(starts)} events, begun {sum(starts)} times; no violation")


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_a_thousand_sequences_end_as_the_model_says(told: Told) -> None:
    """Over the service in memory; `SOAK_SEQUENCES` says how many."""
    sequences = int(os.environ.get("SOAK_SEQUENCES", "1000"))
    told(f"{sequences} sequences of up to 30 steps")
    run_quietly(seed(SEED)(ServiceMachine), settings(max_examples=sequences, stateful_step_count=30, print_blob=True))


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_crashes_at_every_point_twenty_times(site: Site, told: Told) -> None:
    """Rows B1, B2 and D1; a check after each round over all points."""
    chance = random.Random(SEED)
    rounds = int(os.environ.get("SOAK_RUNS", "60"))
    points = points_of("relay", "worker", "purge")
    begun, duplicates = time.monotonic(), 0
    async with site.client(site.api()) as client:
        campaign = Campaign(
            site=replace(site, settings=site.settings | {"FAULT_MAX_ATTEMPTS": "1000"}), client=client, chance=chance
        )
        for number in range(rounds):
            await campaign.run(points, at_once=3)
            if number % 4 == 3 or number == rounds - 1:
                finisher = campaign.site.worker()
                await check(site.places, site.history, within_s=60, allowed=Allowed(most_attempts=1_000))
                finisher.kill()
        duplicates = await campaign.duplicate_deliveries()
    crashes = sum(campaign.crashes.values())
    told(f"{crashes} crashes at {len(campaign.crashes)} points in {time.monotonic() - begun:.0f} s, no violation")
    told(f"{duplicates} duplicate deliveries; operations: {dict(sorted(site.history.counted().items()))}")
    assert duplicates > 0


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_crashes_of_the_api_at_every_point_twenty_times(site: Site, told: Told) -> None:
    """Rows A3 and A4, with a retry each."""
    chance = random.Random(SEED)
    crashes = 0
    async with site.supervised("worker"):
        for point in chance.sample(points_of("api") * 20, k=20 * len(points_of("api"))):
            crashes += await _api_crashed(site, chance, point)
        await check(site.places, site.history, within_s=60, allowed=Allowed(retried_uploads=True))
    told(f"{crashes} crashes, operations: {site.history.counted()}, no violation")


async def _api_crashed(site: Site, chance: random.Random, point: Point) -> int:
    files = some_files(chance)
    dying = site.api(**armed(point))
    async with site.client(dying) as client:
        unknown = await client.upload(files)
        assert unknown.outcome is Outcome.UNKNOWN
        assert await dying.ended(within_s=10) == CRASHED
    again = site.api()
    async with site.client(again) as client:
        assert (await client.upload(files, key=unknown.key)).outcome is Outcome.OK
    again.kill()
    return 1


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_a_hundred_times_the_queue_forgets_everything(site: Site, told: Told) -> None:
    """Rows C2 and C3: jobs wait and are worked on at each of them."""
    chance = random.Random(SEED)
    flushes = int(os.environ.get("SOAK_FLUSHES", "100"))
    lost = 0
    slow = {"FAULT_EMBED_S": "0.3", "WORKER_JOBS": "1"}
    async with (
        site.client(site.api()) as client,
        site.supervised("worker", "worker", **slow),
        site.redis() as redis,
    ):
        for number in range(flushes):
            await asyncio.gather(*(client.upload(some_files(chance, logics=1)) for _ in range(chance.randint(1, 4))))
            if number % 3 == 2:
                await client.delete(chance.choice(list(site.history.accepted)))
            await asyncio.sleep(chance.uniform(0.1, 0.4))
            lost += await redis.zcard(QUEUE_NAME)
            await redis.flushall()
        evidence = await check(site.places, site.history, within_s=180, allowed=Allowed(most_attempts=100))
    starts = [row["attempts"] for row in evidence.tables["outbox"]]
    told(f"{flushes} FLUSHALLs lost {lost} jobs of {len(starts)} events; begun {sum(starts)} times; no violation")
    assert lost > flushes


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_fifty_times_the_machine_goes_off(site: Site, told: Told) -> None:
    """Row J6; a check after every tenth."""
    chance = random.Random(SEED)
    runs = int(os.environ.get("SOAK_KILLS", "50"))
    for number in range(runs):
        await live_and_die(site, chance)
        if number % 10 == 9 or number == runs - 1:
            programs = [site.api(), site.worker()]
            await check(site.places, site.history, within_s=60, allowed=Allowed(most_attempts=100))
            for program in programs:
                program.kill()
    told(f"{runs} times everything was killed, operations: {site.history.counted()}, no violation")
