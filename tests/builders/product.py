"""The product as processes of its own, on servers that the test has started: any number of APIs and workers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from entrypoints.embedded.ports import free_port

_END_S = 40.0


@dataclass(slots=True, kw_only=True)
class Program:
    """One process; what it says is in `log`. `url` is where it serves, if it does."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def end(self) -> int:
        """SIGTERM, and its exit code once it has ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_END_S)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(_END_S)

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")


@dataclass(slots=True, kw_only=True)
class Product:
    """Starts programs with `settings`, which each start may change for itself."""

    settings: Mapping[str, str]
    folder: Path
    programs: list[Program] = field(default_factory=list)

    def api(self, **changes: str) -> Program:
        """An API on a free port. It may not answer yet."""
        port = str(free_port())
        program = self._start("entrypoints.api.main", **{**changes, "PORT": port})
        program.url = f"http://127.0.0.1:{port}"
        return program

    def worker(self, **changes: str) -> Program:
        """A worker. It may not work yet."""
        return self._start("entrypoints.worker", **changes)

    def command(self, *words: str, **changes: str) -> Program:
        """`ladderbase` with these words, running."""
        return self._start("entrypoints.cli.main", *words, **changes)

    def end(self) -> None:
        """End what still runs, by its pid."""
        for program in self.programs:
            if program.process.poll() is None:
                program.process.terminate()
        for program in self.programs:
            try:
                program.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                program.kill()

    def _start(self, *arguments: str, **changes: str) -> Program:
        log = self.folder / f"{len(self.programs)}-{arguments[0]}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", *arguments],
                env={**os.environ, **self.settings, **changes},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self.programs.append(Program(process=process, log=log))
        return self.programs[-1]


@contextmanager
def a_product(folder: Path, **settings: str) -> Iterator[Product]:
    """A product that keeps its files in `folder`; every program that was started is ended with the block."""
    own = {"STORAGE_LOCAL_ROOT": str(folder / "blobs"), "SCRATCH_DIR": str(folder / "scratch"), "HOST": "127.0.0.1"}
    (folder / "scratch").mkdir()
    product = Product(settings={**own, **settings}, folder=folder)
    try:
        yield product
    finally:
        product.end()


async def is_ready(api: Program) -> bool:
    """Whether an upload to it would be accepted and searched. Raises AssertionError with its log where it has ended."""
    assert api.process.poll() is None, api.said
    async with httpx.AsyncClient(base_url=api.url, timeout=5, trust_env=False) as client:
        try:
            return (await client.get("/readyz")).is_success
        except httpx.TransportError:
            return False


def drop_collections(milvus_uri: str, alias: str) -> None:
    """What the product of that alias left in a Milvus that others use too."""
    milvus = MilvusClient(milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    for name in milvus.list_collections():
        if name.startswith(alias):
            for given_name in milvus.list_aliases(name)["aliases"]:
                milvus.drop_alias(given_name)
            milvus.drop_collection(name)
    milvus.close()


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Wait until something holds, asking twenty times a second."""
    give_up_at = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < give_up_at, f"not within {within_s} s"
        await asyncio.sleep(0.05)
