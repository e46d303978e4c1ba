"""Ten times the load that there are places for: row J5 of the fault matrix."""

import asyncio
import random
from http import HTTPStatus

from faults.checker import check
from faults.history import Client, Operation, Outcome, some_files
from faults.site import Site
from real_processes import status_of

SEED = 20268
PLACES = 4
LOAD = 10 * PLACES
GROWTH_KB = 150 * 1024
"""What an API process may take more for ten times the load; a quarter of what 40 uploads of 4 MiB would be."""


async def test_ten_times_the_load_is_refused_at_once_or_served_and_what_is_accepted_is_indexed(site: Site) -> None:
    """J5: 201, or 503 with Retry-After, and nobody waits in a queue that nobody sees."""
    chance = random.Random(SEED)
    api = site.api(UPLOADS_AT_ONCE=str(PLACES))
    site.worker()
    async with site.client(api) as client:
        await client.upload(some_files(chance))
        before = _memory_kb(api.process_id)
        uploads = [some_files(chance, logics=1) for _ in range(LOAD)]
        first = await asyncio.gather(*(client.upload(files) for files in uploads))
        assert {each.status for each in first} == {HTTPStatus.CREATED, HTTPStatus.SERVICE_UNAVAILABLE}
        served = await asyncio.gather(*(_until_accepted(client, each) for each in first))
        assert {each.status for each in served} == {HTTPStatus.CREATED}
        assert _memory_kb(api.process_id) - before < GROWTH_KB
        assert (await client.search("M1")).outcome is Outcome.OK
    refused = [each for each in site.history.of("upload") if each.status == HTTPStatus.SERVICE_UNAVAILABLE]
    assert {(each.body["code"], each.retry_after) for each in refused} == {("busy", "5")}
    assert max(each.ended_s - each.began_s for each in refused) < 10
    await check(site.places, site.history)


async def _until_accepted(client: Client, upload: Operation) -> Operation:
    """Come again as one is told to, though not as late."""
    for _ in range(100):
        if upload.status != HTTPStatus.SERVICE_UNAVAILABLE or upload.files is None:
            break
        await asyncio.sleep(0.2)
        upload = await client.upload(upload.files, key=upload.key)
    return upload


def _memory_kb(process_id: int) -> int:
    """The most that it ever had in memory."""
    return int(status_of(process_id)["VmHWM"].split()[0])
