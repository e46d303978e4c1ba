"""Everything at once: rows J6 and J7 of the fault matrix."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from itertools import permutations
from typing import Any

import pytest

from faults.checker import check
from faults.history import Outcome, some_files
from faults.nursery import Program
from faults.site import Site
from faults.whole_machine import live_and_die
from real_processes import cpu_s_of

SEED = 20266


async def test_a_machine_that_goes_off_comes_back_with_everything(site: Site) -> None:
    chance = random.Random(SEED)
    for _ in range(2):
        await live_and_die(site, chance)
    site.api()
    site.worker()
    await check(site.places, site.history)
    assert site.history.accepted


_PARTS = ("postgres", "valkey", "milvus", "programs")
# The rest takes minutes.
_AT_EACH_RUN = {
    ("programs", "milvus", "valkey", "postgres"),
    ("milvus", "programs", "postgres", "valkey"),
    ("valkey", "postgres", "programs", "milvus"),
}


def _orders() -> list[Any]:
    orders = permutations(_PARTS)
    marks = {True: (), False: (pytest.mark.soak,)}
    return [pytest.param(order, marks=marks[order in _AT_EACH_RUN], id="-".join(order)) for order in orders]


@pytest.mark.parametrize("order", _orders())
async def test_whatever_starts_first_waits_for_the_others(site: Site, order: tuple[str, ...]) -> None:
    """J7: every order; whoever runs the worker starts it again while there is no queue."""
    chance = random.Random(SEED)
    async with site.client(site.api()) as client:
        await client.upload(some_files(chance))
    site.end()
    site.servers.kill()
    by_name = {server.name: server for server in site.servers.all}
    async with AsyncExitStack() as stack:
        api: list[Program] = []
        for name in order:
            if name in by_name:
                await by_name[name].start()
            else:
                api = await stack.enter_async_context(site.supervised("api", "worker"))
            await asyncio.sleep(0.4)
        await check(site.places, site.history)
        async with site.client(api[0]) as client:
            assert (await client.upload(some_files(chance))).outcome is Outcome.OK
            await check(site.places, site.history)
    starts = sum("api" in program.log.name for program in site.programs)
    assert starts == 2, "an API waits for what it needs, and does not end"


@pytest.mark.soak
@pytest.mark.parametrize("away", ["postgres", "milvus"])
async def test_nobody_is_busy_while_something_is_away(site: Site, away: str) -> None:
    """I7: work waits, and whoever waits for it takes less than a tenth of a core."""
    chance = random.Random(SEED)
    api, worker = site.api(), site.worker()
    async with site.client(api) as client:
        await client.upload(some_files(chance))
        await check(site.places, site.history)
        worker.send(signal.SIGSTOP)
        for _ in range(3):
            await client.upload(some_files(chance))
        server = next(server for server in site.servers.all if server.name == away)
        server.kill()
        worker.send(signal.SIGCONT)
        await asyncio.sleep(1)
        before = [cpu_s_of(program.process_id) for program in (api, worker)]
        await asyncio.sleep(3)
        used = [cpu_s_of(program.process_id) - was for program, was in zip((api, worker), before, strict=True)]
        assert max(used) < 0.3
        await server.start()
        await check(site.places, site.history)
