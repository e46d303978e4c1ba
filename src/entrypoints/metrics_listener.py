"""What answers Prometheus in a process that is no server: `GET /metrics`, and nothing else, to whoever reaches it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from adapters.telemetry.exposition import MEDIA_TYPE
from domain.errors import MisconfiguredError

_log = logging.getLogger("ladderbase.worker")
_PATIENCE_S = 5.0
_MOST_BYTES = 8_192
_MOST_AT_ONCE = 8


@asynccontextmanager
async def listening(host: str, port: int, expose: Callable[[], Awaitable[bytes]]) -> AsyncIterator[None]:
    """Answer during the block; port 0 is none. Raises MisconfiguredError where nobody can listen there."""
    if port == 0:
        yield
        return
    scrapes = _Scrapes(expose)
    try:
        server = await asyncio.start_server(scrapes.serve, host, port, limit=_MOST_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MisconfiguredError(f"WORKER_METRICS_HOST and WORKER_METRICS_PORT, {host}:{port}: {reason}") from error
    _log.info("metrics are at http://%s:%d/metrics", host, port)
    try:
        yield
    finally:
        server.close()
        await scrapes.end()


class _Scrapes:
    """One request for each connection, a few connections at once: more are closed, whoever they are."""

    def __init__(self, expose: Callable[[], Awaitable[bytes]]) -> None:
        self._expose = expose
        self._under_way: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._under_way) >= _MOST_AT_ONCE:
            writer.close()
            return
        self._under_way.add(task)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._answer(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError):  # a timeout is an OSError: nobody is there to be told
            pass
        finally:
            self._under_way.discard(task)
            writer.close()

    async def end(self) -> None:
        """Break off what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        target = words[1].partition(b"?")[0] if len(words) > 1 else b""
        if words[0] not in {b"GET", b"HEAD"}:
            status, body = HTTPStatus.METHOD_NOT_ALLOWED, b""
        elif target != b"/metrics":
            status, body = HTTPStatus.NOT_FOUND, b""
        else:
            status, body = HTTPStatus.OK, await self._expose()
        writer.write(_head(status, len(body)))
        if words[0] == b"GET":
            writer.write(body)
        await writer.drain()


def _head(status: HTTPStatus, length: int) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {MEDIA_TYPE}; charset=utf-8",
        f"Content-Length: {length}",
        "Allow: GET, HEAD",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode()
