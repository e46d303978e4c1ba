"""Ports that are looked at stay what they were: each keeps its contract, and calls are timed by what came of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.telemetry.observed_index import ObservedVectorIndex
from adapters.telemetry.observed_readers import ObservedChunkReader, ObservedEmbedder, ObservedUploadReader
from adapters.telemetry.observed_stores import ObservedBlobStore, ObservedUnitOfWork, observed_blobs
from adapters.telemetry.telemetry import Telemetry
from builders.figures import figure
from builders.traces import kept_spans
from contracts.blob_store import BlobStoreContract
from contracts.embedder import EmbedderContract
from contracts.file_readers import ChunkReaderContract
from contracts.lexical_lane import LexicalLaneContract
from contracts.outbox import OutboxContract
from contracts.vector_index import DIMENSION, VectorIndexContract
from domain.errors import ConflictError, MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.blob_store import BlobStore, KeepsHalfWritten
from domain.ports.chunk_reader import ChunkReader
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.ports.vector_index import VectorIndex
from domain.vectors import Vectors
from fakes.blob_store import InMemoryBlobStore
from fakes.embedder import HashingEmbedder
from fakes.readers import InProcessChunkReader
from fakes.registry import InMemoryRegistry
from fakes.unit_of_work import InMemoryUnitOfWork
from fakes.vector_index import InMemoryVectorIndex, VectorServer

NEIGHBOUR = IndexKey(model=EmbeddingModel(name="another", dimension=DIMENSION), rendering_version=1)
PORTS: Mapping[type, type] = {
    ObservedVectorIndex: VectorIndex,
    ObservedBlobStore: BlobStore,
    ObservedUnitOfWork: UnitOfWork,
    ObservedUploadReader: UploadReader,
    ObservedChunkReader: ChunkReader,
    ObservedEmbedder: Embedder,
}


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(spans=kept_spans()[0])


@pytest.mark.parametrize("observed", PORTS)
def test_every_method_of_a_port_is_passed_on(observed: type) -> None:
    """A Protocol's method that is forgotten answers None, and no type checker says so."""
    verbs = {name for name in vars(PORTS[observed]) if not name.startswith("_")}
    assert verbs
    assert verbs - vars(observed).keys() == set()


class TestObservedVectorIndex(VectorIndexContract, LexicalLaneContract):
    @pytest.fixture
    def server(self) -> VectorServer:
        return VectorServer()

    @pytest.fixture
    async def vector_index(self, server: VectorServer, telemetry: Telemetry) -> VectorIndex:
        index = ObservedVectorIndex(InMemoryVectorIndex(dimension=DIMENSION, server=server), telemetry)
        await index.prepare()
        return index

    @pytest.fixture
    def neighbour(self, server: VectorServer, telemetry: Telemetry) -> VectorIndex:
        return ObservedVectorIndex(InMemoryVectorIndex(key=NEIGHBOUR, server=server), telemetry)


class TestObservedBlobStore(BlobStoreContract):
    @pytest.fixture
    def blob_store(self, telemetry: Telemetry) -> BlobStore:
        return observed_blobs(InMemoryBlobStore(), telemetry)


class TestObservedEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, telemetry: Telemetry) -> Embedder:
        return ObservedEmbedder(HashingEmbedder(), telemetry, purpose="index")


class TestObservedChunkReader(ChunkReaderContract):
    @pytest.fixture
    def chunks(self, telemetry: Telemetry) -> ChunkReader:
        return ObservedChunkReader(InProcessChunkReader(), telemetry)


class TestOutboxOfAnObservedUnitOfWork(OutboxContract):
    @pytest.fixture
    def registry(self) -> InMemoryRegistry:
        return InMemoryRegistry()

    @pytest.fixture
    def unit_of_work(self, registry: InMemoryRegistry, telemetry: Telemetry) -> UnitOfWork:
        return ObservedUnitOfWork(InMemoryUnitOfWork(registry), telemetry)

    @pytest.fixture
    def time_passes(self, registry: InMemoryRegistry) -> Callable[[timedelta], Awaitable[None]]:
        return registry.clock.advance

    @pytest.fixture
    def spoil_event(self, registry: InMemoryRegistry) -> Callable[[int], Awaitable[None]]:
        async def spoil(event_id: int) -> None:
            registry.committed.events[event_id] = replace(registry.committed.events[event_id], event=None)

        return spoil

    @pytest.fixture
    def write_as_newer(self, registry: InMemoryRegistry) -> Callable[[int], Awaitable[None]]:
        async def write(event_id: int) -> None:
            registry.committed.events[event_id] = replace(registry.committed.events[event_id], is_newer=True)

        return write


class FailingEmbedder(HashingEmbedder):
    error: BaseException

    async def embed(self, texts: Sequence[str]) -> Vectors:
        raise self.error


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (UnavailableError("embedder", "away"), "unavailable"),
        (TimeoutError(), "unavailable"),
        (MisconfiguredError("no key"), "misconfigured"),
        (ConflictError("another"), "refused"),
        (asyncio.CancelledError(), "cancelled"),
        (KeyError("a bug"), "error"),
    ],
)
async def test_a_call_that_fails_is_counted_by_what_it_means(
    telemetry: Telemetry, error: BaseException, result: str
) -> None:
    failing = FailingEmbedder()
    failing.error = error
    with pytest.raises(type(error)) as raised:
        await ObservedEmbedder(failing, telemetry, purpose="query").embed(["x"])
    assert raised.value is error
    count = figure(telemetry.metrics, "ladderbase_embedding_seconds_count", purpose="query", result=result)
    assert count == 1


class SweepableStore(InMemoryBlobStore, KeepsHalfWritten):
    async def sweep_temporary(self, *, older_than: timedelta) -> int:
        return 7


async def test_a_store_is_able_to_do_what_it_was_able_to_do_before(telemetry: Telemetry) -> None:
    swept, plain = observed_blobs(SweepableStore(), telemetry), observed_blobs(InMemoryBlobStore(), telemetry)
    assert isinstance(swept, KeepsHalfWritten)
    assert await swept.sweep_temporary(older_than=timedelta(0)) == 7
    assert not isinstance(plain, KeepsHalfWritten)
