"""An API that dies, or whose client does: rows A1 to A5 and A8 of the fault matrix."""

import asyncio
import os
import random
import resource
import signal
from pathlib import Path

import pytest

from builders.tcp_proxy import tcp_proxy
from entrypoints.embedded.ports import LOOPBACK
from faults.checker import Allowed, check
from faults.history import Client, Outcome, some_files, until
from faults.nursery import Program
from faults.points import CRASHED, Point, armed, points_of
from faults.site import Site

SEED = 20260


@pytest.mark.parametrize("point", points_of("api"))
async def test_an_api_that_is_killed_registers_all_or_nothing_and_a_retry_succeeds(site: Site, point: Point) -> None:
    files = some_files(random.Random(SEED))
    dying = site.api(**armed(point))
    async with site.client(dying) as client:
        cut_off = await client.upload(files)
        assert cut_off.outcome is Outcome.UNKNOWN
        assert await dying.ended(within_s=10) == CRASHED, dying.said
    registered = await site.execute("SELECT pgm_id FROM programs")
    assert len(registered) == (point is Point.API_COMMITTED)
    async with site.client(site.api()) as client:
        again = await client.upload(files, key=cut_off.key)
        assert again.outcome is Outcome.OK
        site.worker()
        await check(site.places, site.history, allowed=Allowed(retried_uploads=True))
    programs = await site.execute("SELECT pgm_id FROM programs")
    assert [row["pgm_id"] for row in programs] == [again.pgm_id]  # under its key, the first attempt's if there is one


async def test_what_a_killed_api_left_is_removed_when_its_time_is_over(site: Site) -> None:
    """A3: the prefix was recorded before the first blob."""
    dying = site.api(**armed(Point.API_BEFORE_COMMIT))
    async with site.client(dying) as client:
        await client.upload(some_files(random.Random(SEED)))
    assert (await check(site.places, site.history)).blobs
    await site.execute("UPDATE uploads SET started_at = started_at - interval '61 minutes'")
    site.worker()  # it sweeps at its start
    await until(lambda: _are_swept(site), within_s=10)
    assert not [key for key in (await check(site.places, site.history)).blobs if key.startswith("programs/")]


async def _are_swept(site: Site) -> bool:
    return not await site.execute("SELECT 1 FROM uploads")


async def test_a_commit_whose_answer_is_lost_is_an_outage_and_loses_nothing(site: Site) -> None:
    """A5: nobody knows the outcome, so that the blobs stay and the client is told to come back."""
    async with tcp_proxy(site.places.database_url) as proxy:
        api = site.api(DATABASE_URL=proxy.url_of(site.places.database_url))
        async with site.client(api) as client:
            assert (await client.upload(some_files(random.Random(1)))).outcome is Outcome.OK
            commits = iter((False, True))  # of the announcement, of the registration
            proxy.weather.deaf_after = lambda sent: b"COMMIT" in sent and next(commits, False)
            waiting = asyncio.create_task(client.upload(some_files(random.Random(2))))
            await until(lambda: proxy.deaf_connections > 0, within_s=10)
            await asyncio.sleep(0.1)
            proxy.weather.deaf_after = None
            proxy.cut()
            unknown = await waiting
            assert (unknown.outcome, unknown.status) == (Outcome.UNKNOWN, 503)
            site.worker()
            await check(site.places, site.history)


@pytest.mark.parametrize("sent", [0.1, 0.5, 0.99])
async def test_clients_that_leave_in_the_middle_of_an_upload_leave_nothing(site: Site, sent: float) -> None:
    """A1: twenty at each of three moments."""
    api = site.api()
    request = _request(random.Random(SEED))
    async with site.client(api):
        await asyncio.gather(*(_leave_after(api, request[: int(len(request) * sent)]) for _ in range(20)))
        await until(lambda: not _files(site.folder / "scratch"), within_s=10)
    evidence = await check(site.places, site.history)
    assert not evidence.tables["programs"]
    assert not evidence.tables["uploads"]
    assert not _files(site.places.blobs / "objects")


def _request(chance: random.Random) -> bytes:
    files = some_files(chance)
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n' % (name, filename, content)
        for name, filename, content in (
            (b"pgm_ladder_zip_file", b"ladder.zip", files.archive),
            (b"pgm_template_file", b"template.xlsx", files.template),
        )
    )
    texts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\nkim\r\n' % name
        for name in (b"pgm_name", b"create_user")
    )
    body = texts + parts + b"--x--\r\n"
    head = b"POST /v1/programs HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _leave_after(api: Program, part: bytes) -> None:
    _, writer = await asyncio.open_connection(LOOPBACK, int(api.url.rpartition(":")[2]))
    writer.write(part)
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()


def _files(folder: Path) -> list[str]:
    """What is removed meanwhile is not there."""
    return [name for _, _, names in os.walk(folder) for name in names]


async def test_an_api_that_is_told_to_stop_answers_what_it_has_accepted(site: Site) -> None:
    """A8: SIGTERM with ten uploads under way; each is answered, or was never taken."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        uploading = [asyncio.create_task(client.upload(some_files(chance))) for _ in range(10)]
        await asyncio.sleep(0.15)
        api.send(signal.SIGTERM)
        uploads = await asyncio.gather(*uploading)
        assert await api.ended(within_s=30) == 0, api.said
    accepted = len(await site.execute("SELECT 1 FROM programs"))
    assert accepted == sum(upload.outcome is Outcome.OK for upload in uploads) > 0
    site.worker()
    await check(site.places, site.history)


async def test_an_api_that_is_told_to_stop_says_so_before_it_takes_nothing_more(site: Site) -> None:
    """A8: uploads go on while whoever spreads the traffic may learn of it; a second signal ends the delay."""
    chance = random.Random(SEED)
    api = site.api(SHUTDOWN_DELAY_S="60")
    async with site.client(api) as client:
        site.worker()
        await until(lambda: _answers_readiness(site, api, 200), within_s=20)
        api.send(signal.SIGTERM)
        await until(lambda: _answers_readiness(site, api, 503), within_s=10)
        assert "stopping" in (await site.readiness(api))[1]
        assert (await client.upload(some_files(chance))).outcome is Outcome.OK
        api.send(signal.SIGTERM)
        assert await api.ended(within_s=30) == 0, api.said
    await check(site.places, site.history)


async def test_an_api_stops_by_itself_when_the_delay_is_over(site: Site) -> None:
    api = site.api(SHUTDOWN_DELAY_S="1")
    async with site.client(api) as client:
        api.send(signal.SIGTERM)
        assert (await client.upload(some_files(random.Random(SEED)))).outcome is Outcome.OK
        assert await api.ended(within_s=30) == 0, api.said


async def _answers_readiness(site: Site, api: Program, status: int) -> bool:
    return (await site.readiness(api))[0] == status


@pytest.mark.soak
async def test_an_api_without_file_descriptors_serves_again_once_it_has_some(site: Site) -> None:
    """J4: connections take all that it may open."""
    chance = random.Random(SEED)
    api = site.api()
    async with site.client(api) as client:
        assert (await client.upload(some_files(chance))).outcome is Outcome.OK
        used = len(os.listdir(f"/proc/{api.process_id}/fd"))  # noqa: PTH208 - a listing of the kernel's, which never blocks
        resource.prlimit(api.process_id, resource.RLIMIT_NOFILE, (used + 8, 4_096))
        port = int(api.url.rpartition(":")[2])
        idle = [await asyncio.open_connection(LOOPBACK, port) for _ in range(24)]
        refused = await client.upload(some_files(chance))
        assert refused.status == 503
        for _, writer in idle:
            writer.close()
        resource.prlimit(api.process_id, resource.RLIMIT_NOFILE, (4_096, 4_096))
        await until(lambda: _is_accepted(client, chance), within_s=10)
        assert api.exit_code is None, api.said
        site.worker()
        await check(site.places, site.history)


async def _is_accepted(client: Client, chance: random.Random) -> bool:
    return (await client.upload(some_files(chance))).outcome is Outcome.OK
