"""Dispatching over arq to a real Redis, and its outages."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from arq.connections import ArqRedis
from arq.worker import Worker, func

from adapters.queue.arq_dispatcher import HANDLE_EVENT, ArqDispatcher
from adapters.queue.redis_pool import QUEUE_NAME, deserialize, opened_redis, serialize
from contracts.dispatcher import DispatcherContract, claim
from domain.errors import MisconfiguredError, UnavailableError


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[ArqRedis]:
    async with opened_redis(redis_url) as redis:
        yield redis


@pytest.fixture
def dispatcher(queue: ArqRedis) -> ArqDispatcher:
    return ArqDispatcher(queue)


class TestArqDispatcher(DispatcherContract):
    pass


async def run_a_worker(queue: ArqRedis, *, until: asyncio.Event) -> list[tuple[Any, ...]]:
    """What the jobs were given."""
    given: list[tuple[Any, ...]] = []

    async def handle(ctx: dict[Any, Any], *arguments: Any, **_: Any) -> None:
        given.append(arguments)
        until.set()

    worker = Worker(
        functions=[func(handle, name=HANDLE_EVENT, keep_result=0, max_tries=1)],
        redis_pool=queue,
        queue_name=QUEUE_NAME,
        handle_signals=False,
        poll_delay=0.02,
        health_check_interval=1,
        job_serializer=serialize,
        job_deserializer=deserialize,
    )
    running = asyncio.create_task(worker.async_run())
    await asyncio.wait_for(until.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return given


async def test_a_worker_gets_the_event_and_its_token(queue: ArqRedis, dispatcher: ArqDispatcher) -> None:
    await dispatcher.dispatch(claim(7, "t-7"))
    assert await run_a_worker(queue, until=asyncio.Event()) == [(7, "t-7")]


async def test_a_worker_gives_a_sign_of_life(queue: ArqRedis, dispatcher: ArqDispatcher) -> None:
    assert not await dispatcher.has_worker()
    await dispatcher.dispatch(claim(1))
    await run_a_worker(queue, until=asyncio.Event())
    assert await dispatcher.has_worker()


async def test_a_queue_that_forgot_everything_takes_events_again(queue: ArqRedis, dispatcher: ArqDispatcher) -> None:
    await dispatcher.dispatch(claim(1))
    await queue.flushdb()
    before = await dispatcher.room()
    await dispatcher.dispatch(claim(1))
    assert await dispatcher.room() == before - 1


async def test_a_server_that_forgets_to_make_room_is_refused(queue: ArqRedis, dispatcher: ArqDispatcher) -> None:
    await dispatcher.require_lasting()
    before = (await queue.config_get("maxmemory-policy"))["maxmemory-policy"]
    await queue.config_set("maxmemory-policy", "volatile-lru")
    try:
        with pytest.raises(MisconfiguredError, match="volatile-lru"):
            await dispatcher.require_lasting()
    finally:
        await queue.config_set("maxmemory-policy", before)


async def test_an_account_that_may_not_ask_is_believed(redis_url: str, queue: ArqRedis) -> None:
    await queue.acl_setuser("narrow", enabled=True, passwords=["+x"], categories=["+@all"], commands=["-info"])
    try:
        async with opened_redis(_as(redis_url, "narrow:x")) as narrow:
            await ArqDispatcher(narrow).require_lasting()
    finally:
        await queue.acl_deluser("narrow")


def _as(url: str, account: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{account}@{parts.hostname}:{parts.port}"))


async def test_garbage_under_our_keys_is_an_outage_and_no_crash(queue: ArqRedis, dispatcher: ArqDispatcher) -> None:
    await queue.set(QUEUE_NAME, b"not a sorted set")
    with pytest.raises(UnavailableError):
        await dispatcher.room()


async def test_a_redis_that_is_down_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with opened_redis(f"redis://127.0.0.1:{unused.getsockname()[1]}/0") as redis:
            dispatcher = ArqDispatcher(redis)
            for call in (dispatcher.room(), dispatcher.dispatch(claim(1)), dispatcher.has_worker()):
                with pytest.raises(UnavailableError):
                    await call
