"""The health check of a container, run as a container runs it: a process of its own, an exit code and one line."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from arq.worker import Worker, func

from adapters.queue.arq_dispatcher import WORKER_HEALTH_KEY
from adapters.queue.redis_pool import QUEUE_NAME, deserialize, opened_redis, serialize
from entrypoints.embedded.ports import free_port

SECRET = "not-for-logs"
NOBODY = f"redis://:{SECRET}@127.0.0.1:1/0"
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def check(*arguments: str, **settings: str) -> tuple[int, str]:
    """The exit code and the line."""
    environment: Mapping[str, str] = {"DATABASE_URL": f"postgresql://u:{SECRET}@db/l", "REDIS_URL": NOBODY} | settings
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "entrypoints.healthcheck", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 9)  # the probes wait for 10 s
    (line,) = output.decode().splitlines()
    assert SECRET not in line
    return process.returncode or 0, line


@asynccontextmanager
async def an_api(answering: Answering, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Its port."""
    port = free_port()

    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(reader, writer)
        writer.close()

    async with await asyncio.start_server(answer_and_close, host, port):
        yield str(port)


def with_status(status: int) -> Answering:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        found = asked.startswith(b"GET /healthz HTTP/1.1\r\n")
        writer.write(f"HTTP/1.1 {status if found else 404} so\r\nContent-Length: 0\r\n\r\n".encode())

    return answer


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 this is no HTTP\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - the second is a container's
async def test_an_api_that_answers_is_well(host: str) -> None:
    async with an_api(with_status(200), host) as port:
        assert await check("api", HOST=host, PORT=port) == (0, "the API answers")


@pytest.mark.parametrize(
    ("answering", "reason"),
    [
        (with_status(500), "the API answers 500"),
        (silence, "the API does not answer: TimeoutError"),
        (nonsense, "the API does not answer: BadStatusLine"),
    ],
)
async def test_an_api_that_answers_otherwise_or_not_at_all_is_unhealthy(answering: Answering, reason: str) -> None:
    async with an_api(answering) as port:
        assert await check("api", PORT=port) == (1, f"unhealthy: {reason}")


async def test_an_api_that_is_not_there_is_unhealthy() -> None:
    port = str(free_port())
    assert await check("api", PORT=port) == (1, "unhealthy: the API does not answer: ConnectionRefusedError")


async def test_a_worker_that_runs_is_well(redis_url: str) -> None:
    async def nothing(ctx: object) -> None: ...

    async with opened_redis(redis_url) as redis:
        worker = Worker(
            functions=[func(nothing, name="nothing")],
            redis_pool=redis,
            queue_name=QUEUE_NAME,
            handle_signals=False,
            poll_delay=0.02,
            job_serializer=serialize,
            job_deserializer=deserialize,
        )
        running = asyncio.create_task(worker.async_run())
        while not await redis.exists(WORKER_HEALTH_KEY):  # noqa: ASYNC110 - arq tells of it nowhere else
            await asyncio.sleep(0.02)
        answer = await check("worker", REDIS_URL=redis_url)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert answer == (0, "a worker gave a sign of life")


async def test_without_a_sign_of_life_a_worker_is_unhealthy(redis_url: str) -> None:
    assert await check("worker", REDIS_URL=redis_url) == (1, "unhealthy: no worker has given a sign of life")


async def test_without_redis_a_worker_is_unhealthy() -> None:
    assert await check("worker", REDIS_URL=NOBODY) == (1, "unhealthy: Redis does not answer")


async def test_a_redis_that_is_silent_is_not_waited_for() -> None:
    async with an_api(silence) as port:
        answer = await check("worker", REDIS_URL=f"redis://:{SECRET}@127.0.0.1:{port}/0")
    assert answer == (1, "unhealthy: Redis does not answer")


async def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    answer = await check("worker", REDIS_URL=f"redis://:a/{SECRET}@127.0.0.1/0")
    assert answer == (1, "unhealthy: Redis does not answer")


async def test_a_wrong_setting_is_named() -> None:
    assert await check("api", PORT="http") == (1, "unhealthy: the setting PORT is wrong: expected a whole number")


@pytest.mark.parametrize("arguments", [(), ("postgres",), ("api", "worker")])
async def test_it_has_to_be_told_which_process(arguments: tuple[str, ...]) -> None:
    assert await check(*arguments) == (1, "unhealthy: say which process: api or worker")
