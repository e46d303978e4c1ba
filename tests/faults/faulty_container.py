"""The product's own container, its ports wrapped: crash points, short leases, a quick embedder, a slow step."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from arq.connections import ArqRedis
from dependency_injector import providers

from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.registry import EMBEDDERS
from application.relay_outbox import WAIT_FOR_A_WORKER
from domain.events import LEASE, ProgramDeleted, RetryPolicy
from domain.ports.blob_store import BlobStore, StoredBlob
from domain.ports.embedder import Embedder
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.ports.vector_index import IndexEntry
from domain.ports.webhook_sender import WebhookAnswer, WebhookSender
from domain.registration import program_prefix
from domain.vectors import Vectors
from domain.webhook import DELIVERY_RETRIES
from entrypoints.container import Container
from entrypoints.settings import Settings
from fakes.embedder import HashingEmbedder
from fakes.readers import InProcessChunkReader
from faults.points import Armed, Point, Watched

Opened = Callable[[Settings, ArqRedis], AbstractAsyncContextManager[Container]]

_PROGRAMS = program_prefix("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrapped, read from the environment of a program; 0 leaves what the product has.

    `clock_s` is how far the clock of the machine, as arq reads it, goes ahead of everybody else's.
    """

    armed: Armed
    lease_s: float = 0.0
    embed_s: float = 0.0
    max_attempts: int = 0
    milvus_timeout_s: float = 0.0
    clock_s: int = 0
    reads_in_process: bool = False

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Faults":
        return Faults(
            armed=Armed.from_environment(environment),
            lease_s=float(environment.get("FAULT_LEASE_S", "0")),
            embed_s=float(environment.get("FAULT_EMBED_S", "0")),
            max_attempts=int(environment.get("FAULT_MAX_ATTEMPTS", "0")),
            milvus_timeout_s=float(environment.get("FAULT_MILVUS_TIMEOUT_S", "0")),
            clock_s=int(environment.get("FAULT_CLOCK_S", "0")),
            reads_in_process=bool(environment.get("FAULT_READ_IN_PROCESS")),
        )

    def around(self, opened: Opened, *, is_api: bool) -> Opened:
        """The product's way to open its container, with the wrappers on."""
        EMBEDDERS["hashing"] = _hashing  # type: ignore[index]  # a Mapping to everybody else

        @asynccontextmanager
        async def faulty(settings: Settings, redis: ArqRedis) -> AsyncIterator[Container]:
            try:
                async with opened(settings, redis) as container:
                    self._wrap(container, is_api=is_api)
                    yield container
            finally:
                EMBEDDERS.pop("hashing", None)  # type: ignore[attr-defined]  # other tests of the process know it not

        return faulty

    def _wrap(self, container: Container, *, is_api: bool) -> None:
        reach = self.armed.reach
        blobs, index, embedder = container.blobs(), container.index(), container.embedder()
        if self.milvus_timeout_s:
            vars(index)["_timeout_s"] = self.milvus_timeout_s
        chunk_reader = InProcessChunkReader() if self.reads_in_process else container.chunk_reader()
        container.blobs.override(_of(FaultyBlobs(blobs, reach, is_api=is_api)))
        container.unit_of_work.override(_of(FaultyUnitOfWork(container.unit_of_work(), self, is_api=is_api)))
        container.dispatcher.override(
            _of(Watched(container.dispatcher(), _if("dispatch", reach, Point.RELAY_DISPATCHED)))
        )
        if is_api:
            return
        container.webhook_sender.override(_of(FaultySender(container.webhook_sender(), reach)))
        container.deliveries.override(
            _of(Watched(container.deliveries(), _if("delivered", reach, Point.WEBHOOK_RECORDED)))
        )
        container.embedder.override(_of(FaultyEmbedder(embedder, reach, self.embed_s)))
        container.chunk_reader.override(_of(Watched(chunk_reader, _if("read", reach, Point.WORKER_PARSED))))
        container.index.override(_of(FaultyIndex(index, reach)))
        if self.lease_s:
            container.handle_event.add_kwargs(lease=timedelta(seconds=self.lease_s))
            container.deliver_webhooks.add_kwargs(
                lease=timedelta(seconds=self.lease_s),
                retry=replace(DELIVERY_RETRIES, first_delay=timedelta(seconds=0.1), longest_delay=timedelta(seconds=1)),
            )
        if self.max_attempts:
            container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=self.max_attempts))


class FaultyBlobs:
    """Points around the blobs of programs; the probe of the readiness check passes."""

    def __init__(self, inner: BlobStore, reach: Callable[[Point], None], *, is_api: bool) -> None:
        self._inner = inner
        self._reach = reach
        self._is_api = is_api

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        if self._is_api and key.startswith(_PROGRAMS):
            self._reach(Point.API_BEFORE_BLOB)
        stored = await self._inner.put(key, content)
        if self._is_api and key.startswith(_PROGRAMS):
            self._reach(Point.API_BLOB_PUT)
        return stored

    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        async for piece in self._inner.read(key, start=start, stop=stop):
            yield piece
        if not self._is_api:
            self._reach(Point.WORKER_ARCHIVE_READ)

    async def delete_below(self, prefix: str) -> int:
        deleted = await self._inner.delete_below(prefix)
        if not self._is_api:
            self._reach(Point.PURGE_BLOBS)
        return deleted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class FaultyEmbedder:
    """A point after each batch of documents, which may take its time."""

    def __init__(self, inner: Embedder, reach: Callable[[Point], None], embed_s: float) -> None:
        self._inner = inner
        self._reach = reach
        self._embed_s = embed_s

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await asyncio.sleep(self._embed_s)
        vectors = await self._inner.embed(texts)
        self._reach(Point.WORKER_EMBEDDED)
        return vectors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class FaultyIndex:
    """Points around writes and the read-back; an upsert goes in two halves."""

    def __init__(self, inner: Any, reach: Callable[[Point], None]) -> None:
        self._inner = inner
        self._reach = reach

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        half = len(entries) // 2
        await self._inner.upsert(entries[:half], _rows(vectors, 0, half))
        self._reach(Point.WORKER_HALF_UPSERTED)
        await self._inner.upsert(entries[half:], _rows(vectors, half, len(entries)))
        self._reach(Point.WORKER_UPSERTED)

    async def chunk_ids(self, *arguments: Any) -> frozenset[str]:
        found: frozenset[str] = await self._inner.chunk_ids(*arguments)
        self._reach(Point.WORKER_READ_BACK)
        return found

    async def remove_program(self, pgm_id: str) -> None:
        await self._inner.remove_program(pgm_id)
        self._reach(Point.PURGE_VECTORS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class FaultySender:
    """Points around a delivery."""

    def __init__(self, inner: WebhookSender, reach: Callable[[Point], None]) -> None:
        self._inner = inner
        self._reach = reach

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        self._reach(Point.WEBHOOK_CLAIMED)
        answer = await self._inner.send(url, headers, body)
        self._reach(Point.WEBHOOK_SENT)
        return answer


class FaultyUnitOfWork:
    """Points before and after a COMMIT, told apart by what the transaction did; leases as short as the test wants."""

    def __init__(self, inner: UnitOfWork, faults: Faults, *, is_api: bool) -> None:
        self._inner = inner
        self._faults = faults
        self._is_api = is_api

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        did: list[tuple[str, Any]] = []

        def after(name: str, _arguments: tuple[Any, ...], result: Any) -> None:
            did.append((name, result))

        async with self._inner.begin() as transaction:
            yield replace(
                transaction,
                programs=Watched(transaction.programs, after),
                documents=Watched(transaction.documents, after),
                outbox=Watched(transaction.outbox, after, self._shortened),
                uses=Watched(transaction.uses, after),
            )
            self._reach_all(_before_commit(did, is_api=self._is_api))
        self._reach_all(_after_commit(did, is_api=self._is_api))

    def _shortened(self, keywords: dict[str, Any]) -> dict[str, Any]:
        if not self._faults.lease_s or keywords.get("lease") not in {LEASE, WAIT_FOR_A_WORKER}:
            return keywords
        return {**keywords, "lease": timedelta(seconds=self._faults.lease_s)}

    def _reach_all(self, points: Sequence[Point]) -> None:
        for point in points:
            self._faults.armed.reach(point)


def _before_commit(did: Sequence[tuple[str, Any]], *, is_api: bool) -> list[Point]:
    names = [name for name, _ in did]
    if is_api:
        return [Point.API_BEFORE_COMMIT] if "add" in names and "delete" not in names else []
    if ("claim", []) not in did and "claim" in names:
        return [Point.RELAY_SELECTED]
    if "mark_indexed" in names:
        return [Point.WORKER_BEFORE_COMMIT]
    if "give_up" in names:  # what else records uses gives none up
        return [Point.USES_READ]
    return [Point.PURGE_BEFORE_COMMIT] if "purge" in names else []


def _after_commit(did: Sequence[tuple[str, Any]], *, is_api: bool) -> list[Point]:
    results = dict(did)
    if is_api:
        return [Point.API_COMMITTED] if "add" in results and "delete" not in results else []
    if results.get("claim"):
        return [Point.RELAY_CLAIMED]
    if (started := results.get("start")) is not None:
        is_purge = isinstance(started.event, ProgramDeleted)
        return [Point.PURGE_STARTED if is_purge else Point.WORKER_STARTED]
    did_last = {
        "mark_indexed": Point.WORKER_COMMITTED,
        "give_up": Point.USES_RECORDED,
        "purge": Point.PURGE_COMMITTED,
        "finish": Point.WORKER_FINISHED,
    }
    return [point for name, point in did_last.items() if name in results][:1]


def _if(method: str, reach: Callable[[Point], None], point: Point) -> Callable[[str, tuple[Any, ...], Any], None]:
    def after(name: str, _arguments: tuple[Any, ...], _result: Any) -> None:
        if name == method:
            reach(point)

    return after


def _of(replacement: object) -> providers.Object[Any]:
    return providers.Object(replacement)


def _rows(vectors: Vectors, start: int, stop: int) -> Vectors:
    return replace(vectors, buffer=b"".join(vectors.row(place) for place in range(start, stop)))


@asynccontextmanager
async def _hashing(_options: EmbeddingOptions) -> AsyncIterator[Embedder]:
    yield HashingEmbedder()
