"""Real servers of a test's own, which may be killed, paused and started again on their data."""

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from entrypoints.embedded.child import Child
from entrypoints.embedded.milvus import MilvusServer
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer
from entrypoints.embedded.valkey import ValkeyServer
from real_processes import descendants_of

Described = PostgresServer | ValkeyServer | MilvusServer


class RealServer:
    """One server of the embedded product, the same address and data at each start. Use it from the main thread."""

    def __init__(self, described: Described) -> None:
        self._component = described.component()
        self._child: Child | None = None
        self.port = described.port
        self.url = described.uri if isinstance(described, MilvusServer) else described.url

    @property
    def name(self) -> str:
        """What it is."""
        return self._component.name

    @property
    def is_up(self) -> bool:
        """Whether its process runs (it may be paused)."""
        return self._child is not None and self._child.exit_code is None

    async def start(self) -> None:
        """Start it on its data and wait until it answers. One that is up stays as it is."""
        if self.is_up:
            return
        await asyncio.to_thread(self._component.prepare)
        self._child = Child(self._component)
        await self._child.until_ready()

    def start_blocking(self) -> None:
        """The same, for fixtures."""
        if self.is_up:
            return
        self._component.prepare()
        self._child = Child(self._component)
        with ThreadPoolExecutor(1) as thread:  # so that it disturbs no event loop of the tests
            thread.submit(asyncio.run, self._child.until_ready()).result()

    def kill(self) -> None:
        """kill -9 of everything that belongs to it."""
        if self._child is None:
            return
        for process_id in self._processes():
            _send(process_id, signal.SIGKILL)
        self._child.kill()
        self._child = None

    async def restart(self) -> None:
        """An orderly end and a new start."""
        if self._child is not None:
            await self._child.end()
            self._child = None
        await self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay, nobody answers."""
        for process_id in self._processes():
            _send(process_id, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        for process_id in self._processes():
            _send(process_id, signal.SIGCONT)

    def _processes(self) -> list[int]:
        if self._child is None:
            return []
        return [self._child.pid, *descendants_of(self._child.pid)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServers:
    """What the product needs beside itself."""

    postgres: RealServer
    valkey: RealServer
    milvus: RealServer

    @property
    def all(self) -> tuple[RealServer, ...]:
        """In the order of a usual start."""
        return self.postgres, self.valkey, self.milvus

    async def start(self) -> None:
        """Whatever is down."""
        await asyncio.gather(*(server.start() for server in self.all))

    def kill(self) -> None:
        """All of them at once."""
        for server in self.all:
            server.kill()


@contextmanager
def real_servers() -> Iterator[RealServers]:
    """Servers that are up, in a folder that goes with them."""
    folder = Path(tempfile.mkdtemp(prefix="ladderbase-faults-"))
    folder.chmod(0o711)  # enough for the account that Postgres runs as
    password = secrets.token_hex(8)
    servers = RealServers(
        postgres=RealServer(
            PostgresServer(
                folder=folder / "postgres",
                port=free_port(),
                password=password,
                log=folder / "postgres.log",
                durable=False,
            )
        ),
        valkey=RealServer(
            ValkeyServer(folder=folder / "valkey", port=free_port(), password=password, log=folder / "valkey.log")
        ),
        milvus=RealServer(MilvusServer(folder=folder / "milvus", port=free_port(), log=folder / "milvus.log")),
    )
    try:
        for server in servers.all:
            server.start_blocking()
        yield servers
    finally:
        servers.kill()
        shutil.rmtree(folder)


def _send(process_id: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, number)
