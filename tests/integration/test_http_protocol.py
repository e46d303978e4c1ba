"""Connections that break HTTP or hold it up, on a real server with little patience."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn

from builders.forms import CONTENT_TYPE
from builders.raw_http import received
from builders.service import a_service
from entrypoints.api.app import create_app
from entrypoints.api.http_protocol import ProblemProtocol
from entrypoints.embedded.ports import free_port

LONG_S = 5


class ImpatientProtocol(ProblemProtocol):
    patience_s = 0.2


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    service = await a_service(tmp_path)
    port = free_port()
    config = uvicorn.Config(
        create_app(service.container),
        http=ImpatientProtocol,
        port=port,
        log_config=None,
        timeout_keep_alive=60,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await serving


async def answer_to(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """What comes back until the server closes; the sending side stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(LONG_S):
            reading = asyncio.create_task(received(reader))
            with suppress(ConnectionError):
                for piece in pieces:
                    if reading.done():
                        break
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause_s)
            return await reading
    finally:
        writer.close()


def problem_in(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    problem: dict[str, object] = json.loads(body)
    assert f"x-request-id: {problem['request_id']}".encode() in head.lower()
    return problem


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z: \0\r\n\r\n",
        b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_too(port: int, raw: bytes) -> None:
    problem = problem_in(await answer_to(port, raw))
    assert (problem["status"], problem["code"]) == (400, "request_invalid")


async def test_a_head_that_drips_is_answered_and_its_connection_closed(port: int) -> None:
    drips = [b"GET /healthz HTTP/1.1\r\n", *[b"X: y\r\n"] * 200]
    problem = problem_in(await answer_to(port, *drips, pause_s=0.02))
    assert (problem["status"], problem["code"]) == (408, "request_timeout")


async def test_a_connection_on_which_nothing_comes_is_closed(port: int) -> None:
    assert await answer_to(port) == b""


async def test_a_body_that_drips_on_after_its_answer_loses_its_connection(port: int) -> None:
    head = f"POST /v1/programs HTTP/1.1\r\nHost: a\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 999999999\r\n\r\n"
    answer = await answer_to(port, head.encode(), *[b"x"] * 500, pause_s=0.02)
    assert problem_in(answer)["code"] == "too_large"


async def test_a_connection_that_is_kept_serves_again_after_a_while(port: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = await answer_to(port, request, request, last, pause_s=0.4)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
