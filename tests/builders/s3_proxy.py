"""A proxy before a real S3 server, that misbehaves on command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from aiobotocore.retries import standard

from builders.s3_servers import S3Server

HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """S3's name for it."""
        query = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        in_bucket = urlsplit(self.target).path.strip("/").count("/") == 0
        if in_bucket:
            return _of_bucket(self.method, query)
        if "uploadId" in query:
            return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}[
                self.method
            ]
        return "CreateMultipartUpload" if "uploads" in query else f"{self.method.title()}Object"


def _of_bucket(method: str, query: Mapping[str, object]) -> str:
    if "delete" in query:
        return "DeleteObjects"
    if "uploads" in query:
        return "ListMultipartUploads"
    return "ListObjectsV2" if method == "GET" else f"{method.title()}Bucket"


Forward = Callable[[], Awaitable[bytes]]
Fault = Callable[[Asked, Forward, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class S3Proxy:
    """Plays each of an operation's `faults` once, in their order, and passes on everything else after `delay_s`.

    `asked` has the operations in the order of their arrival, the mark that every opening puts left out; its faults
    are those of "Mark".
    """

    server: S3Server
    port: int = 0
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seen: list[Asked] = field(default_factory=list)
    delay_s: Mapping[str, float] = field(default_factory=dict)
    refuses: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def always(self, operation: str, fault: Fault) -> None:
        """Play a fault for every such request."""
        self.faults[operation] = [fault] * 100

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.refuses:
                await self._answer(await _request(reader, writer), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one of the two is gone
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        is_mark = "/.ladderbase/" in asked.target
        if not is_mark:
            self.asked.append(asked.operation)
            self.seen.append(asked)
        await asyncio.sleep(self.delay_s.get(asked.method, 0.0))
        faults = self.faults.get("Mark" if is_mark else asked.operation, [])
        fault = faults.pop(0) if faults else passed_on
        await fault(asked, lambda: self._forwarded(asked), writer)
        await writer.drain()

    async def _forwarded(self, asked: Asked) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(self.server.url).port)
        try:
            dropped = {"connection", "expect"}
            lines = [f"{name}: {value}\r\n" for name, value in asked.headers.items() if name not in dropped]
            head = f"{asked.method} {asked.target} HTTP/1.1\r\n{''.join(lines)}connection: close\r\n\r\n"
            writer.write(head.encode("latin-1") + asked.body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.transport.abort()  # to close it would wait for what nobody wants to send any more


async def passed_on(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    writer.write(await forward())


async def reply_is_lost(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    await forward()


async def connection_is_lost(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    pass


async def silence(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def answered(status: int, body: str = "", **headers: str) -> Fault:
    """Answer without asking the server."""

    async def play(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        content = b"" if asked.method == "HEAD" else body.encode()
        head = f"HTTP/1.1 {status} Whatever\r\n{lines}content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + content)

    return play


def refused(status: int, code: str) -> Fault:
    """An error as S3 says it."""
    return answered(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>secret words</Message></Error>")


FAILURES = {
    "slow down": refused(503, "SlowDown"),
    "internal error": refused(500, "InternalError"),
    "bad gateway in HTML": answered(502, "<html><body>Bad Gateway"),
    "garbage instead of XML": answered(200, "<a><b></a>"),
    "a body that ends early": answered(200, "<?xml version='1.0'?><Comp"),
    "a lost connection": connection_is_lost,
    "silence": silence,
    "clocks apart": refused(403, "RequestTimeTooSkewed"),
    "a quota, politely": refused(429, "TooManyRequests"),
}


def cut_after(size_bytes: int) -> Fault:
    """The head of the answer and so many bytes of its body."""

    async def play(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        head, body = (await forward()).split(HEAD_END, 1)
        writer.write(head + HEAD_END + body[:size_bytes])

    return play


def dripping(pause_s: float) -> Fault:
    """The head of the answer, and then byte after byte."""

    async def play(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        head, body = (await forward()).split(HEAD_END, 1)
        writer.write(head + HEAD_END)
        for place in range(len(body)):
            writer.write(body[place : place + 1])
            await writer.drain()
            await asyncio.sleep(pause_s)

    return play


def followed_by(event: Callable[[], object]) -> Fault:
    """The true answer, once something else has happened behind our back."""

    async def play(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        answer = await forward()
        await asyncio.to_thread(event)
        writer.write(answer)

    return play


@asynccontextmanager
async def s3_proxy(server: S3Server) -> AsyncIterator[S3Proxy]:
    """A proxy on a free port of loopback, its connections cut at the end. Clients opened meanwhile retry at once."""
    proxy = S3Proxy(server=server)
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(proxy.serve(reader, writer)))

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**20)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        with retries_at_once():
            yield proxy
    finally:
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await asyncio.sleep(0.01)  # for the other ends to notice, before their loop is closed


@contextmanager
def retries_at_once() -> Iterator[None]:
    """The client would wait some seconds in all between its three attempts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(standard, "ExponentialBackoff", partial(standard.ExponentialBackoff, max_backoff=0.01))
        yield


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(HEAD_END)).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "expect" in headers:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method=method, target=target, headers=headers, body=body)
