"""The whole product under measurement: embedded servers, an API and a worker with delays around their ports."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx

from delays import Delays, Switchboard
from entrypoints.embedded.addresses import kept_addresses
from entrypoints.embedded.component import Component
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running
from uploads import MadeUpload

_BENCHMARKS = Path(__file__).parent
_GIVE_UP_S = 300.0


@dataclass(frozen=True, kw_only=True)
class MeasuredStack(EmbeddedStack):
    """The embedded service with an embedder of one's choice and its ports wrapped."""

    embedder: str

    def _own_programs(self, folder: Path, environment: dict[str, str]) -> tuple[Component, Component, Component]:
        environment = environment | {
            "EMBEDDING_MODEL": self.embedder,
            "BENCHMARK_FOLDER": str(self.data_dir),
            "PYTHONPATH": str(_BENCHMARKS),
            "LOG_LEVEL": "WARNING",
        }
        migrate, api, worker = super()._own_programs(folder, environment)
        return migrate, _wrapped(api), _wrapped(worker)


def _wrapped(program: Component) -> Component:
    return replace(program, command=[sys.executable, "-P", "-m", "delayed_program", program.name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The running service, and the ways around it that a benchmark needs."""

    client: httpx.AsyncClient
    folder: Path
    switchboard: Switchboard
    database_url: str
    milvus_uri: str

    @property
    def api_pid(self) -> int:
        """The process that serves."""
        return next(pid for pid in _processes() if _is_program(pid, "api", self.folder))

    async def register(self, upload: MadeUpload) -> str:
        """Register a program; its pgm_id."""
        fields = {"pgm_name": "measured", "create_user": "benchmark"}
        answer = await self.client.post("/v1/programs", data=fields, files=upload.files)
        if answer.is_error:
            raise RuntimeError(answer.text)
        return str(answer.json()["pgm_id"])

    async def replace(self, pgm_id: str, upload: MadeUpload) -> None:
        """Replace the files of a program."""
        fields = {"create_user": "benchmark"}
        answer = await self.client.put(f"/v1/programs/{pgm_id}/files", data=fields, files=upload.files)
        answer.raise_for_status()

    async def search(self, query: str, pgm_id: str | None = None) -> None:
        """Search, and expect to find something."""
        body = {"query": query} | ({"pgm_id": pgm_id} if pgm_id else {})
        answer = (await self.client.post("/v1/search", json=body)).raise_for_status()
        if not answer.json()["hits"]:
            raise RuntimeError(f"nothing is found for {query!r}")

    async def wait_s(self, upload: MadeUpload) -> float:
        """How long one caller waits for the registration."""
        started = time.perf_counter()
        await self.register(upload)
        return time.perf_counter() - started

    async def until_indexed(self, pgm_id: str, *, poll_s: float = 0.1) -> None:
        """Wait until every document is indexed. Raises RuntimeError where one failed, or after five minutes.

        Looks seldom: each look takes some ms of the cores that are measured.
        """
        give_up_at = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < give_up_at:
            answer = (await self.client.get(f"/v1/programs/{pgm_id}/indexing")).raise_for_status().json()
            if answer["done"] == answer["total"]:
                if answer["status"] != "indexed":
                    raise RuntimeError(f"not indexed: {answer['errors']}")
                return
            await asyncio.sleep(poll_s)
        raise RuntimeError(f"{pgm_id} is not indexed after five minutes")

    async def forget(self) -> None:
        """Take away at once what was registered and never indexed; only while the relay is held."""
        async with self.database() as database:
            await database.execute("TRUNCATE programs, outbox, uploads, failures CASCADE")
            await database.execute("VACUUM ANALYZE")
        shutil.rmtree(self.folder / "blobs" / "objects" / "programs", ignore_errors=True)

    async def empty(self) -> None:
        """Delete every program and wait until all is purged: the next row starts from nothing."""
        self.switchboard.set(Delays())
        while programs := (await self.client.get("/v1/programs", params={"limit": 200})).json()["items"]:
            for program in programs:
                (await self.client.delete(f"/v1/programs/{program['pgm_id']}")).raise_for_status()
        async with self.database() as database:
            give_up_at = time.monotonic() + _GIVE_UP_S
            while await database.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL"):
                if time.monotonic() > give_up_at:
                    raise RuntimeError("not purged after five minutes")
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the product's database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def a_product(embedder: str) -> AsyncIterator[Product]:
    """Start one in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="ladderbase-bench-") as folder:
        stack = MeasuredStack(data_dir=Path(folder) / "data", port=free_port(), embedder=embedder)
        async with (
            running(stack, say=lambda _: None) as url,
            httpx.AsyncClient(base_url=url, timeout=300, trust_env=False) as client,
        ):
            addresses = kept_addresses(stack.data_dir)
            yield Product(
                client=client,
                folder=stack.data_dir,
                switchboard=Switchboard(stack.data_dir),
                database_url=addresses["DATABASE_URL"],
                milvus_uri=addresses["MILVUS_URI"],
            )


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _is_program(pid: int, name: str, folder: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    is_ours = f"BENCHMARK_FOLDER={folder}\0".encode() in environment
    return is_ours and b"delayed_program" in command and name.encode() in command
