"""Streams of events over real connections: twenty at once, clients that go away or do not read, and the end."""

import asyncio
from pathlib import Path

import httpx
import pytest

from builders.product import until
from builders.served import served
from builders.service import Service, a_service, some_limits

PLACES = 20
PATH = "/v1/programs/PGM_1/indexing/events"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path, limits=some_limits(lambda: 0.0, streams=PLACES))
    await service.register()
    return service


async def names(answer: httpx.Response, *, most: int = 99) -> list[str]:
    """The names of the events that come, until the end or so many."""
    told = []
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            told.append(line.removeprefix("event: "))
        if len(told) == most:
            break
    return told


async def test_twenty_clients_see_every_state_and_one_more_is_told_to_come_again(service: Service) -> None:
    async with served(service) as (client, _):
        begun: asyncio.Queue[None] = asyncio.Queue()

        async def seen() -> list[str]:
            async with client.stream("GET", PATH) as answer:
                begun.put_nowait(None)
                return await names(answer)

        seeing = [asyncio.create_task(seen()) for _ in range(PLACES)]
        for _ in seeing:
            await asyncio.wait_for(begun.get(), 10)
        refused = await client.get(PATH)
        await service.work()
        told = await asyncio.gather(*seeing)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert {tuple(dict.fromkeys(one)) for one in told} == {("pending", "indexing", "indexed")}
        assert (await client.get(PATH)).status_code == 200  # their places are free


async def test_a_client_that_goes_away_gives_its_place_back(service: Service) -> None:
    service.container.limits.override(some_limits(lambda: 0.0, streams=1))
    async with served(service) as (client, _):
        for _ in range(3):
            async with client.stream("GET", PATH) as answer:
                assert await names(answer, most=1) == ["pending"]

            async def is_free() -> bool:
                async with client.stream("GET", PATH) as again:
                    return again.status_code == 200

            await until(is_free, within_s=10)


async def test_streams_do_not_hold_up_the_end_of_the_process(service: Service) -> None:
    async with served(service) as (client, server), client.stream("GET", PATH) as answer:
        lines = answer.aiter_lines()
        async for line in lines:
            if line.startswith("event: "):
                break
        service.container.stopping().set()
        server.should_exit = True
        async with asyncio.timeout(10):
            assert [line async for line in lines if line.startswith("event: ")] == []
