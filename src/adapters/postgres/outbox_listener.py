"""Wakes a relay when an event is committed, so that it need not wait for its next poll."""

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Self

import asyncpg

from adapters.postgres.connection_url import asyncpg_dsn
from adapters.postgres.outbox import CHANNEL

_LOG = logging.getLogger(__name__)
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
_CONNECT_TIMEOUT_S = 3.0
_PROBE_EVERY_S = 30.0
_PROBE_TIMEOUT_S = 3.0


class OutboxListener:
    """A connection of its own that listens while the context is open.

    A notification is a hint: whoever waits polls all the same. LISTEN needs a direct connection; a pooler
    that shares connections between transactions drops it.
    """

    def __init__(self, database_url: str) -> None:
        """Raises MisconfiguredError when the URL cannot be read."""
        self._dsn = asyncpg_dsn(database_url)
        self._woken = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._keep_listening(), name="outbox-listener")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def wait(self, timeout_s: float) -> None:
        """Return when an event was committed since the last call, or after `timeout_s` seconds at the latest.

        Returns early after a reconnect too, which may have missed some. A lost connection is not raised
        here: it is tried again, ever more rarely, up to every 30 s.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), timeout_s)
        self._woken.clear()

    async def _keep_listening(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=_CONNECT_TIMEOUT_S)
            except _LOST as error:
                # The class alone: a message may quote the user or the host.
                _LOG.warning("outbox listener: no connection (%s), next try in %.1f s", type(error).__name__, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            await self._listen(connection)
            await asyncio.sleep(pause_s)

    async def _listen(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Until the connection is lost; a silent one is found out by a probe."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._woken.set())
            self._woken.set()
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _PROBE_EVERY_S)
                    continue
                await connection.execute("SELECT 1", timeout=_PROBE_TIMEOUT_S)
        except _LOST as error:
            _LOG.warning("outbox listener: the connection was lost (%s)", type(error).__name__)
        else:
            _LOG.warning("outbox listener: the connection was closed by the server")
        finally:
            connection.terminate()
