"""What answers Prometheus in a worker: the metrics, to whoever asks as a scrape does, and nothing that lasts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from httpx import AsyncClient

from domain.errors import MisconfiguredError
from entrypoints import metrics_listener
from entrypoints.embedded.ports import LOOPBACK, free_port
from entrypoints.metrics_listener import listening


async def figures() -> bytes:
    return b"ladderbase_record_up 1.0\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    port = free_port()
    async with listening(LOOPBACK, port, figures):
        yield port


async def test_a_scrape_is_answered(port: int) -> None:
    async with AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as client:
        answer = await client.get("/metrics")
        assert (answer.status_code, answer.content) == (200, await figures())
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert (await client.head("/metrics")).content == b""
        assert (await client.get("/")).status_code == 404
        assert (await client.post("/metrics", content=b"x")).status_code == 405


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"x" * 20_000])
async def test_what_is_no_request_ends_and_hurts_nobody(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(10):
        with suppress(ConnectionError):  # it was closed with bytes of ours unread
            await reader.read()
    writer.close()
    async with AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_whoever_sends_nothing_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_listener, "_PATIENCE_S", 0.05)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_only_a_few_are_served_at_once(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_listener, "_PATIENCE_S", 60.0)
    silent = [await asyncio.open_connection(LOOPBACK, port) for _ in range(metrics_listener._MOST_AT_ONCE)]
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    for _, each in [*silent, (reader, writer)]:
        each.close()


async def test_an_address_that_is_taken_is_told_by_the_names_of_its_settings(port: int) -> None:
    with pytest.raises(MisconfiguredError, match=f"WORKER_METRICS_PORT, {LOOPBACK}:{port}"):
        async with listening(LOOPBACK, port, figures):
            pass


async def test_port_zero_is_none() -> None:
    async with listening(LOOPBACK, 0, figures):
        pass
