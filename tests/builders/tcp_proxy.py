"""A TCP proxy in front of a real server, which can be told, while it runs, how to misbehave."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from entrypoints.embedded.ports import LOOPBACK, free_port

_PIECE_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: the other side is told by RST, not by FIN


@dataclass(slots=True, kw_only=True)
class Weather:
    """What happens to the bytes of a connection. The switches may be set together and at any time.

    `swallows_requests` keeps what clients send (with the replies that would follow: a black hole),
    `swallows_replies` lets a request be carried out and its answer be lost. `deaf_after` is shown
    what is sent and may say so for that connection, from then on.
    """

    swallows_requests: bool = False
    swallows_replies: bool = False
    delay_s: float = 0.0
    bytes_per_s: float | None = None
    reset_after_bytes: int | None = None
    deaf_after: Callable[[bytes], bool] | None = None


@dataclass(slots=True, kw_only=True)
class TcpProxy:
    """Forwards from `port` of loopback to a server's; the connections of all clients share one weather."""

    target_port: int
    port: int = field(default_factory=free_port)
    weather: Weather = field(default_factory=Weather)
    replied_bytes: int = 0
    _listener: asyncio.Server | None = None
    _links: "set[_Link]" = field(default_factory=set)

    def url_of(self, url: str) -> str:
        """The same address, through this proxy."""
        parts = urlsplit(url)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}{LOOPBACK}:{self.port}"))

    @property
    def deaf_connections(self) -> int:
        """How many connections are deaf."""
        return sum(link.is_deaf for link in self._links)

    async def accept(self) -> None:
        """Take connections, again."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def refuse(self) -> None:
        """Take no more connections, and reset those that there are."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Reset every connection that there is; new ones are taken."""
        for link in tuple(self._links):
            link.reset()

    async def aclose(self) -> None:
        """End everything."""
        await self.refuse()
        await asyncio.gather(*(link.ended.wait() for link in tuple(self._links)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            _reset(writer)
            return
        link = _Link(proxy=self, client=(reader, writer), server=upstream)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


@dataclass(eq=False, slots=True, kw_only=True)
class _Link:
    proxy: TcpProxy
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    passed_bytes: int = 0
    is_deaf: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        ways = [
            asyncio.create_task(self._forward(self.client[0], self.server[1], is_reply=False)),
            asyncio.create_task(self._forward(self.server[0], self.client[1], is_reply=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for _, writer in (self.client, self.server):
                writer.close()
            self.ended.set()

    def reset(self) -> None:
        for _, writer in (self.client, self.server):
            _reset(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool) -> None:
        weather = self.proxy.weather
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                if weather.delay_s or weather.bytes_per_s:
                    await asyncio.sleep(weather.delay_s + len(piece) / (weather.bytes_per_s or float("inf")))
                if not is_reply and weather.deaf_after and weather.deaf_after(piece):
                    self.is_deaf = True
                if (weather.swallows_replies or self.is_deaf) if is_reply else weather.swallows_requests:
                    continue
                self.passed_bytes += len(piece)
                self.proxy.replied_bytes += len(piece) if is_reply else 0
                if weather.reset_after_bytes is not None and self.passed_bytes > weather.reset_after_bytes:
                    self.reset()
                    return
                writer.write(piece)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once with RST: what was written and not sent yet is lost."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


@asynccontextmanager
async def tcp_proxy(url: str) -> AsyncIterator[TcpProxy]:
    """A proxy in front of the server that a URL names."""
    proxy = TcpProxy(target_port=urlsplit(url).port or 0)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.aclose()
