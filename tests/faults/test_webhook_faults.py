"""Webhooks while workers, receivers and servers fail: rows W1 to W15 of the fault matrix."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from faults.checker import Allowed, check
from faults.history import Outcome, some_files, some_note, until
from faults.points import CRASHED, Action, Point, armed, points_of
from faults.receiver import GARBAGE, RESET, Receiver, a_receiver
from faults.site import Site

SEED = 20281


@pytest.fixture
async def receiver(site: Site) -> AsyncIterator[Receiver]:
    async with a_receiver(site.history) as receiver:
        yield receiver


def _times(receiver: Receiver) -> Counter[str]:
    """How often each event came."""
    return Counter(each.delivery_id for each in receiver.history.received)


async def test_workers_that_are_killed_or_asleep_in_a_delivery_lose_none_and_repeat_it_under_its_id(
    site: Site, receiver: Receiver
) -> None:
    """W1 and W2."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        await receiver.subscribe(api)
        for point in points_of("webhook"):
            dying = site.worker(**armed(point))
            await client.upload(some_files(chance, logics=1))
            assert await dying.ended(within_s=20) == CRASHED, dying.said
        asleep = site.worker(**armed(Point.WEBHOOK_SENT, action=Action.STOP))
        await client.upload(some_files(chance, logics=1))
        await asleep.stopped(within_s=20)
        site.worker()
        await check(site.places, site.history)
        asleep.send(signal.SIGCONT)
        await until(lambda: "passed on meanwhile" in asleep.said, within_s=10, what=asleep.said)
        await check(site.places, site.history)
    assert max(_times(receiver).values()) > 1  # what was answered and not recorded came again
    assert receiver.forged == 0


async def test_an_api_that_is_killed_has_told_of_what_it_committed_and_of_nothing_else(
    site: Site, receiver: Receiver
) -> None:
    """W12: the registration and what is told of it are one transaction."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        await receiver.subscribe(api)
        for point in (Point.API_BEFORE_COMMIT, Point.API_COMMITTED):
            files = some_files(chance, logics=1)
            dying = site.api(**armed(point))
            async with site.client(dying) as cut_off:
                unknown = await cut_off.upload(files)
                assert await dying.ended(within_s=10) == CRASHED, dying.said
            assert (await client.upload(files, key=unknown.key)).outcome is Outcome.OK
        site.worker()
        await check(site.places, site.history)
    assert sorted(each.kind for each in receiver.history.received) == ["indexed", "indexed", "registered", "registered"]


async def test_a_receiver_that_fails_in_every_way_is_told_everything_in_the_end(site: Site, receiver: Receiver) -> None:
    """W4 and W5: nothing that it does holds up the indexing."""
    chance = random.Random(SEED)
    ok = b"\r\nContent-Length: 0\r\n\r\n"
    receiver.script = [
        *(RESET, GARBAGE, b"HTTP/1.1 500 X" + ok, b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/" + ok),
        *(b"HTTP/1.1 429 X\r\nRetry-After: 1" + ok, b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\nshort"),
        *(b"HTTP/1.1 503 X\r\nRetry-After: " + b"9" * 5_000 + ok, b"HTTP/1.1 401 X" + ok),
    ]
    api = site.api()
    async with site.client(api) as client:
        await receiver.subscribe(api)
        site.worker()
        for _ in range(2):
            await client.upload(some_files(chance, logics=1))
        await check(site.places, site.history)
    assert not receiver.script


async def test_deliveries_outlast_a_restart_of_postgres_and_a_queue_that_forgets(
    site: Site, receiver: Receiver
) -> None:
    """W13: in the midst of deliveries that take their time, while programs are changed, deleted, and added to."""
    chance = random.Random(SEED)
    receiver.delay_s = 0.2
    api = site.api()
    async with site.client(api) as client, site.supervised("worker", "worker"), site.redis() as redis:
        await receiver.subscribe(api)
        uploads = [await client.upload(some_files(chance, logics=1)) for _ in range(4)]
        await until(lambda: bool(receiver.history.received), within_s=20)
        await site.servers.postgres.restart()
        await redis.flushall()
        await client.delete(uploads[0].pgm_id)
        await client.replace(uploads[1].pgm_id, some_files(chance, logics=1))
        await client.add(uploads[2].pgm_id, some_note(chance))
        await check(site.places, site.history)
    assert receiver.forged == 0


async def test_what_a_newer_version_tells_ends_no_worker_of_before(site: Site, receiver: Receiver) -> None:
    """W11: it is left alone, and everything else is told."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        await receiver.subscribe(api)
        first = await client.upload(some_files(chance, logics=1))
        await site.execute(
            "INSERT INTO webhook_deliveries (delivery_id, webhook_id, kind, pgm_id, run, pgm_name, revision, status)"
            " SELECT 'msg_newer', webhook_id, 'exploded', $1, 'x', '', 1, 'exploded' FROM webhooks",
            first.pgm_id,
        )
        worker = site.worker()
        await until(lambda: _have_come(receiver, 2), within_s=20, what=worker.said)
        assert worker.exit_code is None
        (left,) = await site.execute(
            "SELECT attempts, done_at, dead_at FROM webhook_deliveries WHERE kind = 'exploded'"
        )
        assert dict(left) == {"attempts": 0, "done_at": None, "dead_at": None}
        worker.kill()
        await site.execute(
            "UPDATE webhook_deliveries SET next_attempt_at = now() - interval '25 hours' WHERE attempts = 0"
        )
        site.worker()  # it sweeps at its start
        await check(site.places, site.history, allowed=Allowed(dead_deliveries=1))


def _have_come(receiver: Receiver, count: int) -> bool:
    return len(receiver.history.received) >= count


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_receiver_that_is_down_for_a_minute_is_told_everything_once(site: Site, receiver: Receiver) -> None:
    """W3, in real time and by the schedule of the product."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        await receiver.subscribe(api)
        await receiver.close()
        site.worker(FAULT_LEASE_S="0")
        uploads = [await client.upload(some_files(chance, logics=1)) for _ in range(10)]
        await client.delete(uploads[0].pgm_id)
        await client.replace(uploads[1].pgm_id, some_files(chance, logics=1))
        await asyncio.sleep(60)
        assert not receiver.history.received
        await receiver.open()
        await check(site.places, site.history, within_s=180)
    assert set(_times(receiver).values()) == {1}
    assert len({(each.kind, each.pgm_id, each.revision) for each in receiver.history.received}) == len(_times(receiver))
