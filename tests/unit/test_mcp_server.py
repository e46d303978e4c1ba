"""What an assistant may ask, asked by the SDK's own client: in memory, over stdio and over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.memory import create_connected_server_and_client_session
from mcp.types import CallToolResult, TextContent

from builders.service import a_service
from entrypoints.api.app import create_app
from entrypoints.cli.service import connected
from entrypoints.embedded.ports import free_port
from entrypoints.mcp_server import mcp_server

KEY = "lb_0123456789ab_secret"


@asynccontextmanager
async def a_session(folder: Path, bodies: dict[str, str] | None = None) -> AsyncIterator[ClientSession]:
    """A client of a server of a service over fakes, in which a program is indexed."""
    service = await a_service(folder, bodies)
    await service.register()
    await service.work()
    transport = httpx.ASGITransport(create_app(service.container))  # type: ignore[arg-type]  # two spellings of ASGI
    async with (
        connected("http://ladderbase.test", transport) as behind,
        create_connected_server_and_client_session(mcp_server(behind)) as session,
    ):
        yield session


async def test_there_are_four_tools_and_all_of_them_only_read(tmp_path: Path) -> None:
    async with a_session(tmp_path) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(tools) == {"search", "where_used", "get_rung", "get_program_tree"}
        assert all(tool.annotations and tool.annotations.readOnlyHint and tool.description for tool in tools.values())
        assert tools["search"].inputSchema["required"] == ["query"]


async def test_a_hit_leads_to_its_rung_and_a_device_to_its_uses(tmp_path: Path) -> None:
    async with a_session(tmp_path) as session:
        hits = said(await session.call_tool("search", {"query": "Y0 M10", "limit": 1}))["hits"]
        assert hits[0]["ladder"] == "LD M10\nSET Y0"
        rung = said(await session.call_tool("get_rung", {"rung_id": hits[0]["rung_id"]}))
        assert rung["ladder"] == hits[0]["ladder"]
        uses = said(await session.call_tool("where_used", {"device": "M10", "role": "write", "pgm_id": "PGM_1"}))
        assert [use["instruction"] for use in uses["items"]] == ["OUT"]
        tree = said(await session.call_tool("get_program_tree", {"pgm_id": "PGM_1"}))
        assert tree["pgm_id"] == "PGM_1"


async def test_an_assistant_is_told_no_more_than_it_can_read(tmp_path: Path) -> None:
    def rung(first: int) -> str:
        read = "".join(f"{first + n},,{'AND' if n else 'LD'},M{first + n},,,\n" for n in range(400))
        return f"{read}{first + 400},,OUT,Y7,,,\n"

    async with a_session(tmp_path, {"0000_11": "".join(rung(500 * number) for number in range(50))}) as session:
        result = await session.call_tool("search", {"query": "Y7", "limit": 50})
        found = said(result)
        whole = said(await session.call_tool("get_rung", {"rung_id": found["hits"][0]["rung_id"]}))
    assert len(json.dumps(found)) < 70_000
    assert found["left_out"] == 50 - len(found["hits"]) > 0
    assert found["hits"][0]["cut"]
    assert found["hits"][0]["ladder"].endswith("\n…")
    assert whole["ladder"].startswith(found["hits"][0]["ladder"].removesuffix("…"))
    assert whole["ladder"].endswith("OUT Y7")


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("where_used", {"device": "H10"}, "this is no device"),
        ("where_used", {"device": "D1", "role": "fills"}, "Input should be"),
        ("get_rung", {"rung_id": "PGM_1-r1-0001.g9.0"}, "there is no rung"),
        ("get_rung", {"rung_id": "../../healthz"}, "match"),
        ("get_program_tree", {"pgm_id": "PGM_9"}, "there is no program PGM_9"),
        ("search", {"query": ""}, "at least 1 character"),
        ("search", {"query": "x", "limit": 1_000}, "less than or equal to 50"),
    ],
)
async def test_what_is_refused_is_told_to_the_assistant(
    tmp_path: Path, tool: str, arguments: dict[str, Any], told: str
) -> None:
    async with a_session(tmp_path) as session:
        result = await session.call_tool(tool, arguments)
        assert result.isError
        assert told in text_of(result)


async def test_over_stdio_the_key_is_sent_and_an_outage_is_told() -> None:
    async with a_listener() as (url, heard):
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "entrypoints.cli.main", "mcp", "--url", url],
            env={**os.environ, "LADDERBASE_API_KEY": KEY},
        )
        async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
            await session.initialize()
            result = await session.call_tool("get_program_tree", {"pgm_id": "PGM_1"})
        assert result.isError
        assert "the service cannot do this now: away" in text_of(result)
        assert heard == [f"GET /v1/programs/PGM_1/template Bearer {KEY}"]


async def test_over_http_it_serves_on_loopback_and_refuses_foreign_hosts() -> None:
    port = str(free_port())
    arguments = ("mcp", "--transport", "http", "--port", port, "--url", "http://127.0.0.1:9")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "entrypoints.cli.main", *arguments, stderr=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        await until_it_listens(int(port))
        async with streamable_http_client(url) as (reading, writing, _), ClientSession(reading, writing) as session:
            await session.initialize()
            assert len((await session.list_tools()).tools) == 4
            assert "no service answers" in text_of(await session.call_tool("search", {"query": "M1"}))
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, headers={"Host": "evil.example.com"}, json={})
        assert answer.status_code == 421
    finally:
        process.terminate()
        await process.wait()


def said(result: CallToolResult) -> dict[str, Any]:
    assert not result.isError, text_of(result)
    body: dict[str, Any] = json.loads(text_of(result))
    return body


def text_of(result: CallToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


@asynccontextmanager
async def a_listener() -> AsyncIterator[tuple[str, list[str]]]:
    """A service that is away: it answers 503, and what it heard."""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        key = next(line.partition(": ")[2] for line in lines if line.lower().startswith("authorization"))
        heard.append(f"{lines[0].removesuffix(' HTTP/1.1')} {key}")
        body = b'{"detail": "away"}'
        writer.write(b"HTTP/1.1 503 -\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


async def until_it_listens(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("it does not listen")
