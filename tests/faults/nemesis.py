"""Whoever strikes at random moments while clients go on: one fault every few seconds, every choice from one seed."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from builders.tcp_proxy import TcpProxy, tcp_proxy
from faults.history import Client, Outcome, revised, some_files
from faults.nursery import Program
from faults.site import Site

_SLEEPS_S = (1.0, 4.0)


@dataclass(slots=True, kw_only=True)
class Nemesis:
    """Strikes at the workers and servers of a site, and at the connections to them."""

    site: Site
    workers: list[Program]
    proxies: list[TcpProxy]
    chance: random.Random
    struck: Counter[str] = field(default_factory=Counter)

    async def strike_for(self, seconds: float, *, every_s: tuple[float, float]) -> None:
        """One strike after the other, with pauses in between."""
        strikes: list[Callable[[], Awaitable[None]]] = [
            self.empty_the_queue,
            self.kill_a_worker,
            self.put_a_worker_to_sleep,
            self.restart_postgres,
            self.kill_milvus,
            self.cut_connections,
        ]
        ends_at = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends_at:
            strike = self.chance.choice(strikes)
            self.struck[strike.__name__.replace("_", " ")] += 1
            await strike()
            await asyncio.sleep(self.chance.uniform(*every_s))

    async def empty_the_queue(self) -> None:
        async with self.site.redis() as redis:
            await redis.flushall()

    async def kill_a_worker(self) -> None:
        self.chance.choice(self.workers).kill()

    async def put_a_worker_to_sleep(self) -> None:
        worker = self.chance.choice(self.workers)
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(self.chance.uniform(*_SLEEPS_S))
        worker.send(signal.SIGCONT)

    async def restart_postgres(self) -> None:
        if self.chance.random() < 0.5:
            self.site.servers.postgres.kill()
            await self.site.servers.postgres.start()
        else:
            await self.site.servers.postgres.restart()

    async def kill_milvus(self) -> None:
        self.site.servers.milvus.kill()
        await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        await self.site.servers.milvus.start()

    async def cut_connections(self) -> None:
        proxy = self.chance.choice(self.proxies)
        proxy.cut()
        if self.chance.random() < 0.5:
            await proxy.refuse()
            await asyncio.sleep(self.chance.uniform(0.1, 2.0))
            await proxy.accept()


@dataclass(slots=True, kw_only=True)
class Load:
    """Clients that register, replace, reindex, delete, look and search, and count the documents that were accepted."""

    chance: random.Random
    documents: int = 0
    live: list[str] = field(default_factory=list)

    async def go_on(self, client: Client, *, until_documents: int, pause_s: float) -> None:
        """Until so many documents were accepted, by all clients together."""
        while self.documents < until_documents:
            await self._register(client)
            if self.live:
                await self._change(client)
            if self.live:
                await self._look(client, self.chance.choice(self.live))
            await asyncio.sleep(self.chance.uniform(0.0, 2 * pause_s))

    async def _register(self, client: Client) -> None:
        files = some_files(self.chance)
        uploaded = await client.upload(files)
        if uploaded.outcome is Outcome.OK:
            self.documents += 2 + len(files.logics)
            self.live.append(uploaded.pgm_id)

    async def _change(self, client: Client) -> None:
        """Of ten registrations three are followed by a delete, three by other files, two by a reindex."""
        drawn = self.chance.random()
        if drawn < 0.3:
            await self._delete_and_register_anew(client)
        elif drawn < 0.6:
            await self._replace(client, self.chance.choice(self.live))
        elif drawn < 0.8:
            await client.reindex(self.chance.choice(self.live))

    async def _replace(self, client: Client, pgm_id: str) -> None:
        present = client.history.sent(pgm_id)[-1].files
        assert present
        files = revised(present, self.chance)
        replaced = await client.replace(pgm_id, files)
        if replaced.outcome is Outcome.OK and files is not present:
            self.documents += 2 + len(files.logics)

    async def _delete_and_register_anew(self, client: Client) -> None:
        pgm_id = self.live.pop(self.chance.randrange(len(self.live)))
        await client.delete(pgm_id)
        files = client.history.accepted[pgm_id].files
        assert files
        uploaded = await client.upload(files)
        if uploaded.outcome is Outcome.OK:
            self.live.append(uploaded.pgm_id)

    async def _look(self, client: Client, pgm_id: str) -> None:
        await client.status(pgm_id)
        files = client.history.accepted[pgm_id].files
        assert files
        await client.search(files.device, pgm_id)
        await client.search(files.device)


@asynccontextmanager
async def besieged(site: Site, chance: random.Random, *, workers: int = 3) -> AsyncIterator[tuple[Client, Nemesis]]:
    """An API and workers behind proxies, kept up whatever happens to them."""
    async with AsyncExitStack() as stack:
        proxies = [
            await stack.enter_async_context(tcp_proxy(url))
            for url in (site.places.database_url, site.places.redis_url, site.places.milvus_uri)
        ]
        through = {
            "DATABASE_URL": proxies[0].url_of(site.places.database_url),
            "REDIS_URL": proxies[1].url_of(site.places.redis_url),
            "MILVUS_URI": proxies[2].url_of(site.places.milvus_uri),
        }
        client = await stack.enter_async_context(site.client(site.api(**through)))
        running = await stack.enter_async_context(site.supervised(*["worker"] * workers, **through))
        yield client, Nemesis(site=site, workers=running, proxies=proxies, chance=chance)
