"""Clients that send or read byte by byte, on raw sockets: each is told or cut off, and gives its place back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn

from builders.product import until
from builders.raw_http import received
from builders.service import a_service, some_limits
from entrypoints.api import strict_json
from entrypoints.api.app import create_app
from entrypoints.api.http_protocol import ProblemProtocol
from entrypoints.api.request_body import body_pieces
from entrypoints.embedded.ports import LOOPBACK, free_port

PATIENCE_S = 1.0
"""In place of the half minute of the product; a client that is slow sends a byte ten times in it."""
SOON_S = 3 * PATIENCE_S
UPLOAD = b"POST /v1/programs/validate HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
SEARCH = b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: 5000\r\n\r\n"

Called = Callable[..., Coroutine[Any, Any, Any]]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProblemProtocol, "patience_s", PATIENCE_S)
    monkeypatch.setattr(ProblemProtocol, "stall_s", PATIENCE_S)
    monkeypatch.setitem(cast("Any", body_pieces).__kwdefaults__, "idle_s", PATIENCE_S)
    monkeypatch.setattr(strict_json, "IDLE_TIMEOUT_S", PATIENCE_S)


@asynccontextmanager
async def served(app: object) -> AsyncIterator[int]:
    """The port at which the application is served as the API process serves it."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(cast("Any", app), port=port, http=ProblemProtocol, ws="none", log_config=None, lifespan="off")
    )
    serving = asyncio.create_task(server._serve())
    try:
        await until(partial(_has_started, server), within_s=10)
        yield port
    finally:
        server.should_exit = server.force_exit = True
        await serving


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A service with a single place for uploads."""
    service = await a_service(tmp_path, limits=some_limits(lambda: 0.0, places=(1, 1)))
    async with served(create_app(service.container)) as port:
        yield port


@asynccontextmanager
async def connected_to(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def trickle(writer: asyncio.StreamWriter, head: bytes = b"", filler: bytes = b"x") -> None:
    """Send a head at once, and after it a byte now and then for as long as there is somebody."""
    writer.write(head)
    while not writer.is_closing():
        writer.write(filler)
        await asyncio.sleep(PATIENCE_S / 10)


async def answered(port: int, head: bytes, filler: bytes = b"x") -> tuple[int, dict[str, str], dict[str, Any]]:
    """What a client that trickles is told before the connection ends: status, headers, problem."""
    async with connected_to(port) as (reader, writer):
        trickling = asyncio.create_task(trickle(writer, head, filler))
        try:
            async with asyncio.timeout(SOON_S):
                said = await received(reader)
        finally:
            trickling.cancel()
            await asyncio.gather(trickling, return_exceptions=True)
    return parsed(said)


def parsed(said: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    start, _, body = said.partition(b"\r\n\r\n")
    status, *lines = start.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    text = body if "content-length" in headers else body[body.index(b"{") : body.rindex(b"}") + 1]
    return int(status.split()[1]), headers, json.loads(text)


async def asked(port: int, request: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """What a whole request is told."""
    async with connected_to(port) as (reader, writer):
        writer.write(request)
        async with asyncio.timeout(SOON_S):
            return parsed(await received(reader))


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: "], ids=["first line", "headers"])
async def test_a_head_that_comes_byte_by_byte_is_a_408(port: int, head: bytes) -> None:
    status, headers, problem = await answered(port, head)
    assert (status, problem["code"]) == (408, "request_timeout")
    assert (headers["connection"], headers["content-type"]) == ("close", "application/problem+json")
    assert (headers["cache-control"], headers["x-request-id"]) == ("no-store", problem["request_id"])


@pytest.mark.parametrize("head", [UPLOAD, SEARCH], ids=["upload", "json"])
@pytest.mark.parametrize("framing", [LENGTH, b"Transfer-Encoding: chunked\r\n\r\n"], ids=["length", "chunked"])
async def test_a_body_that_comes_byte_by_byte_is_a_408_and_the_connection_ends(
    port: int, head: bytes, framing: bytes
) -> None:
    filler = b"1\r\nx\r\n" if b"chunked" in framing else b"x"
    status, _, problem = await answered(port, head + framing, filler)
    assert (status, problem["code"]) == (408, "request_timeout")


async def test_a_slow_body_gives_its_place_back(port: int) -> None:
    small = UPLOAD + b"Connection: close\r\nContent-Length: 7\r\n\r\n--x--\r\n"
    async with connected_to(port) as (reader, writer):
        trickling = asyncio.create_task(trickle(writer, UPLOAD + LENGTH))
        await asyncio.sleep(PATIENCE_S / 4)
        assert (await asked(port, small))[0] == 503
        async with asyncio.timeout(SOON_S):
            await reader.readline()
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)
        assert (await asked(port, small))[0] == 422


async def test_a_client_that_says_nothing_is_cut_off(port: int) -> None:
    async with connected_to(port) as (reader, _), asyncio.timeout(SOON_S):
        assert await reader.read() == b""


async def test_the_rest_of_a_body_that_nobody_reads_is_not_waited_for(port: int) -> None:
    """The answer comes at once, whatever the client still sends; then it has as long as anybody."""
    async with connected_to(port) as (reader, writer):
        trickling = asyncio.create_task(trickle(writer, UPLOAD.replace(b"multipart/form-data", b"text/x") + LENGTH))
        async with asyncio.timeout(SOON_S):
            assert b" 415 " in await reader.readline()
            await received(reader)
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


async def test_connections_are_kept_between_requests_that_come_in_time(port: int) -> None:
    async with connected_to(port) as (reader, writer):
        for _ in range(4):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(SOON_S):
                assert b" 200 " in await reader.readline()
                await reader.readuntil(b"}")
            await asyncio.sleep(PATIENCE_S / 2)


async def test_what_is_no_http_is_told_in_a_problem(port: int) -> None:
    status, headers, problem = await asked(port, b"\x16\x03\x01 hello\r\n\r\n")
    assert (status, problem["code"]) == (400, "request_invalid")
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


async def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    ended = asyncio.Event()

    async def endless(_: object, receive: Called, send: Called) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        left = asyncio.create_task(receive())
        while not left.done():
            await send({"type": "http.response.body", "body": bytes(64 * 1024), "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    async with served(endless) as port, connected_to(port) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(SOON_S):
            await ended.wait()
