"""The way to webhooks over real sockets: where it may lead, what is followed, and how long it is waited for."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from adapters.webhooks.http_sender import HttpWebhookSender
from adapters.webhooks.name_lookup import NameLookup
from domain.errors import UnavailableError
from entrypoints.embedded.ports import LOOPBACK, free_port

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEADERS = {"content-type": "application/json", "webhook-id": "msg_1"}


@asynccontextmanager
async def listening(answering: Answering) -> AsyncIterator[str]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answering(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(served, LOOPBACK, 0)
    try:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/hook?x=1"
    finally:
        server.close()


def answering(head: bytes, body: bytes = b"") -> tuple[Answering, list[bytes]]:
    """What it was sent, and an answer."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        writer.write(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    return answer, heard


@pytest.mark.parametrize("status", [200, 204, 302, 410, 500])
async def test_what_is_sent_arrives_once_and_the_status_comes_back(status: int) -> None:
    answer, heard = answering(b"HTTP/1.1 %d X\r\nLocation: http://localhost:1/" % status)
    async with listening(answer) as url:
        sender = HttpWebhookSender(allow_private=True)
        assert (await sender.send(url, HEADERS, b"{}")).status == status
    (said,) = heard
    assert said.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"webhook-id: msg_1\r\n" in said
    assert said.endswith(b"\r\n\r\n{}")


async def test_a_name_that_leads_to_a_private_address_is_not_connected_to() -> None:
    answer, heard = answering(b"HTTP/1.1 200 OK")
    async with listening(answer) as url:
        with pytest.raises(UnavailableError, match="nothing is sent to"):
            await HttpWebhookSender(allow_private=False).send(url, HEADERS, b"{}")
    assert heard == []


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{LOOPBACK}:{free_port()}")
    answer, _ = answering(b"HTTP/1.1 200 OK")
    async with listening(answer) as url:
        assert (await HttpWebhookSender(allow_private=True).send(url, HEADERS, b"{}")).status == 200


async def test_a_receiver_that_is_away_or_says_no_http_gives_no_answer() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"secret nonsense\r\n\r\n")

    sender = HttpWebhookSender(allow_private=True)
    with pytest.raises(UnavailableError):
        await sender.send(f"http://{LOOPBACK}:{free_port()}/", HEADERS, b"{}")
    async with listening(nonsense) as url:
        with pytest.raises(UnavailableError) as failed:
            await sender.send(url, HEADERS, b"{}")
    assert "secret" not in str(failed.value)
    with pytest.raises(UnavailableError):
        await sender.send("http://nowhere.invalid/", HEADERS, b"{}")


@pytest.mark.parametrize(
    ("said", "retry_after"),
    [
        (b"90", timedelta(seconds=90)),
        (b"Fri, 01 Jan 2100 00:00:00 GMT", timedelta(days=365)),
        (b"9" * 5_000, None),
        (b"soon", None),
        (b"-1", None),
        (b"\xff", None),
    ],
)
async def test_when_a_receiver_may_be_told_again_comes_back_with_its_answer(
    said: bytes, retry_after: timedelta | None
) -> None:
    answer, _ = answering(b"HTTP/1.1 503 X\r\nRetry-After: " + said)
    async with listening(answer) as url:
        answered = await HttpWebhookSender(allow_private=True).send(url, HEADERS, b"{}")
    assert answered.status == 503
    if retry_after is None or answered.retry_after is None:
        assert answered.retry_after == retry_after
    else:
        assert answered.retry_after >= retry_after


@pytest.mark.parametrize("host", ["a..example.com", "a" * 64 + ".example.com"])
async def test_a_name_that_no_name_server_can_be_asked_for_gives_no_answer(host: str) -> None:
    with pytest.raises(UnavailableError, match="cannot be looked up"):
        await HttpWebhookSender(allow_private=True).send(f"http://{host}/", HEADERS, b"{}")


async def test_a_silent_name_server_holds_one_thread_for_each_name_and_none_of_other_work() -> None:
    answered, asked = threading.Event(), Counter[str]()

    def look_up(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        asked[host] += 1
        if host.startswith("silent"):
            answered.wait(20)
        return socket.getaddrinfo(LOOPBACK, port, type=socket.SOCK_STREAM)

    sender = HttpWebhookSender(allow_private=True, timeout_s=0.3, names=NameLookup(look_up))
    hosts = [f"silent-{number}.example.com" for number in range(20)] * 4  # beyond the threads that all others share
    try:
        sending = [asyncio.create_task(sender.send(f"http://{host}/", HEADERS, b"{}")) for host in hosts]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "at work") == "at work"
            ended = await asyncio.gather(*sending, return_exceptions=True)
        assert {str(each) for each in ended} == {"webhook is unavailable: no answer within 0.3 s"}
        answer, _ = answering(b"HTTP/1.1 200 OK")
        async with listening(answer) as url:
            assert (await sender.send(url, HEADERS, b"{}")).status == 200
        assert set(asked.values()) == {1}
    finally:
        answered.set()


async def test_a_receiver_that_drips_is_left_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async with listening(drip) as url, asyncio.timeout(10):
        with pytest.raises(UnavailableError, match="no answer within"):
            await HttpWebhookSender(allow_private=True, timeout_s=0.5).send(url, HEADERS, b"{}")


async def test_of_an_endless_answer_no_more_than_a_piece_is_read() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65_536)
            sent += 65_536
            await writer.drain()

    async with listening(endless) as url, asyncio.timeout(10):
        assert (await HttpWebhookSender(allow_private=True).send(url, HEADERS, b"{}")).status == 200
    assert sent < 64 * 1024 * 1024
