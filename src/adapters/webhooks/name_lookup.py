"""Where a name leads to, asked in threads of its own: a silent name server must not hold those of all other work."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from domain.webhook import MAX_WEBHOOKS, Address

LookUp = Callable[..., Sequence[tuple[Any, ...]]]
_Found = Sequence[Address] | Exception


class UnknownNameError(OSError):
    """Nobody says where the name leads to."""


class NameLookup:
    """One thread for each name, whoever waits for it; one that nobody waits for any more ends by itself.

    Daemons, so that a process which is told to stop does not wait for a name server.
    """

    def __init__(self, look_up: LookUp = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._under_way: dict[tuple[str, int], asyncio.Future[_Found]] = {}

    async def addresses_of(self, host: str, port: int) -> Sequence[Address]:
        """At least one. Raises UnknownNameError."""
        if (host, port) not in self._under_way:
            self._begin(host, port)
        found = await asyncio.shield(self._under_way[host, port])
        if isinstance(found, Exception):
            raise UnknownNameError("the name cannot be looked up") from found
        return found

    def _begin(self, host: str, port: int) -> None:
        if len(self._under_way) >= MAX_WEBHOOKS:
            raise UnknownNameError("too many names are looked up already")
        loop = asyncio.get_running_loop()

        def end(found: _Found) -> None:
            self._under_way.pop((host, port)).set_result(found)

        def look() -> None:
            found = self._found(host, port)
            with suppress(RuntimeError):  # the process has ended meanwhile
                loop.call_soon_threadsafe(end, found)

        self._under_way[host, port] = loop.create_future()
        threading.Thread(target=look, name="name lookup", daemon=True).start()

    def _found(self, host: str, port: int) -> _Found:
        try:
            found = self._look_up(host, port, type=socket.SOCK_STREAM)
            return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found] or UnknownNameError("no address")
        except (OSError, ValueError) as error:  # ValueError: a label that is blank or longer than a name may have
            return error
