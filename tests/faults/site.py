"""A place where the product runs: a database, a queue, a collection and a folder of its own, and its programs."""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import redis.asyncio
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from builders.real_servers import RealServers
from entrypoints.embedded.ports import LOOPBACK, free_port
from faults.evidence import Places
from faults.history import Client, History, a_client, until
from faults.nursery import Nursery, Program

LEASE_S = 1.5
"""Short enough for tests that wait for one to run out, long enough for a busy machine to renew it in time."""

_RESTARTED_AFTER_S = 0.5


@dataclass(slots=True, kw_only=True)
class Site:
    """The programs share `settings`, which each start may change for itself; the tests share one history."""

    places: Places
    servers: RealServers
    nursery: Nursery
    folder: Path
    settings: dict[str, str]
    history: History = field(default_factory=History)
    programs: list[Program] = field(default_factory=list)

    def api(self, **changes: str) -> Program:
        """An API on a free port. It may not answer yet."""
        port = str(free_port())
        return self._start("api", changes | {"PORT": port}, url=f"http://{LOOPBACK}:{port}")

    def worker(self, **changes: str) -> Program:
        """A worker. It may not work yet."""
        return self._start("worker", changes)

    @asynccontextmanager
    async def supervised(self, *kinds: str, **changes: str) -> AsyncIterator[list[Program]]:
        """Programs that are started again whenever they end, as a supervisor would; the list is of those that run."""
        running = [self._supervised(kind, changes) for kind in kinds]

        async def keep_up() -> None:
            while True:
                await asyncio.sleep(_RESTARTED_AFTER_S)
                for place, program in enumerate(running):
                    if program.exit_code is not None:
                        running[place] = self._supervised(kinds[place], changes)

        keeping = asyncio.create_task(keep_up())
        try:
            yield running
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    @asynccontextmanager
    async def client(self, api: Program) -> AsyncIterator[Client]:
        """A client of an API, once that answers."""
        await until(lambda: _accepts(api), within_s=30, what=f"the API answers: {api.log}")
        async with a_client(api.url, self.history) as client:
            yield client

    async def readiness(self, api: Program) -> tuple[int, str]:
        """What an API that answers says of its being ready."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            answer = await http.get(f"{api.url}/readyz")
        return answer.status_code, answer.text

    async def told_of_dependencies(self, api: Program) -> str:
        """What an API tells its operator of what it depends on."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            answer = (await http.get(f"{api.url}/v1/operations")).raise_for_status()
        return str(answer.json()["dependencies"])

    def end(self) -> None:
        """Kill whatever still runs."""
        for program in self.programs:
            program.kill()

    async def execute(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """A statement in its database, by the back door."""
        connection = await asyncpg.connect(self.places.database_url, timeout=5)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        finally:
            await connection.close(timeout=5)
        return rows

    async def script(self, statements: str) -> None:
        """Several statements at once, in one transaction."""
        connection = await asyncpg.connect(self.places.database_url, timeout=5)
        try:
            await connection.execute(statements)
        finally:
            await connection.close(timeout=5)

    @asynccontextmanager
    async def redis(self) -> AsyncIterator["redis.asyncio.Redis"]:
        """Its Redis, by the back door."""
        async with redis.asyncio.Redis.from_url(self.places.redis_url, socket_timeout=5) as client:
            yield client

    @contextmanager
    def milvus(self) -> Iterator[tuple[MilvusClient, str]]:
        """Its Milvus, by the back door, and the name of its collection."""
        client = MilvusClient(self.places.milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
        try:
            (name,) = (name for name in client.list_collections() if name.startswith(f"{self.places.alias}__"))
            yield client, name
        finally:
            client.close()

    def _supervised(self, kind: str, changes: Mapping[str, str]) -> Program:
        return self.worker(**changes) if kind == "worker" else self.api(**changes)

    def _start(self, kind: str, changes: dict[str, str], *, url: str = "") -> Program:
        log = self.folder / f"{len(self.programs)}-{kind}.log"
        environment = {**os.environ, **self.settings, **changes}
        self.programs.append(self.nursery.start(kind, environment, log, url=url))
        return self.programs[-1]


@asynccontextmanager
async def a_site(
    servers: RealServers, nursery: Nursery, folder: Path, template: str, **settings: str
) -> AsyncIterator[Site]:
    """A site on servers that are up; it leaves nothing behind there."""
    alias = f"faults_{secrets.token_hex(6)}"
    async with _database(servers.postgres.url, alias, template) as database_url:
        places = Places(
            database_url=database_url,
            redis_url=servers.valkey.url,
            milvus_uri=servers.milvus.url,
            alias=alias,
            blobs=folder / "blobs",
        )
        (folder / "scratch").mkdir()
        site = Site(
            places=places,
            servers=servers,
            nursery=nursery,
            folder=folder,
            settings=_settings(places, folder) | settings,
        )
        async with site.redis() as client:
            await client.flushall()
        try:
            yield site
        finally:
            site.end()
            await servers.start()
            for program in site.programs:
                await program.ended(within_s=10)
            await asyncio.to_thread(_drop_collections, places)


def _settings(places: Places, folder: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": places.database_url,
        "REDIS_URL": places.redis_url,
        "MILVUS_URI": places.milvus_uri,
        "MILVUS_COLLECTION_NAME": places.alias,
        "EMBEDDING_MODEL": "hashing",
        "STORAGE_LOCAL_ROOT": str(places.blobs),
        "SCRATCH_DIR": str(folder / "scratch"),
        "HOST": LOOPBACK,
        "FAULT_LEASE_S": str(LEASE_S),
        "FAULT_READ_IN_PROCESS": "1",
        "WEBHOOK_ALLOW_PRIVATE": "true",
    }


@asynccontextmanager
async def _database(server_url: str, name: str, template: str) -> AsyncIterator[str]:
    await execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        await execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def execute(url: str, statement: str) -> None:
    """A statement on a server of the tests."""
    connection = await asyncpg.connect(re.sub(r"^postgres(ql)?(\+asyncpg)?:", "postgresql:", url), timeout=10)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=5)


def _drop_collections(places: Places) -> None:
    client = MilvusClient(places.milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    try:
        for name in client.list_collections():
            if name.startswith(f"{places.alias}__"):
                for alias in client.list_aliases(name)["aliases"]:
                    client.drop_alias(alias)
                client.drop_collection(name)
    finally:
        client.close()


async def _accepts(api: Program) -> bool:
    assert api.exit_code is None, api.said
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, int(api.url.rpartition(":")[2]))
    except OSError:
        return False
    writer.close()
    return True
