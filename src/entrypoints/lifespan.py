"""Opens what the processes need and closes it again, in one stack."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from arq.connections import ArqRedis
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.blobs.local_disk import LocalDiskBlobStore
from adapters.embedding.registry import embedder_named
from adapters.milvus.vector_index import MilvusVectorIndex
from adapters.plc_files.archive_members import LimitedArchiveReader
from adapters.plc_files.chunk_reader import LimitedChunkReader
from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_process import LimitedProcess
from adapters.plc_files.upload_reader import LimitedUploadReader
from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.migrations_runner import is_current
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.queue.arq_dispatcher import ArqDispatcher
from application.check_readiness import Check
from application.handle_event import LONGEST_WORK
from domain.chunking import RENDERING_VERSION
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.blob_store import BlobStore
from domain.ports.embedder import Embedder
from entrypoints.container import Container
from entrypoints.settings import Settings

# One more than an everyday machine has cores: reading waits for the disk as well.
_READERS = 3
_PRELOAD = ("adapters.plc_files.document_jobs", "adapters.plc_files.upload_jobs")
_LEFTOVERS_AFTER = timedelta(days=1)


@asynccontextmanager
async def opened(settings: Settings, redis: ArqRedis) -> AsyncIterator[Container]:
    """The container with every dependency open. Servers that are down do not keep it from opening.

    Raises MisconfiguredError where the settings contradict each other.
    """
    limits = settings.upload_limits
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        embedder = await stack.enter_async_context(embedder_named(settings.embedding_model))
        index = _vector_index(settings, embedder)
        stack.push_async_callback(index.aclose)
        blobs = await _blob_store(settings)
        process = await stack.enter_async_context(LimitedProcess(ProcessLimits(), slots=_READERS, preload=_PRELOAD))
        dispatcher = ArqDispatcher(redis)
        yield Container(
            archives=LimitedArchiveReader(process, limits),
            blobs=blobs,
            catalogue=PostgresCatalogue(engine),
            chunk_reader=LimitedChunkReader(process, limits),
            dispatcher=dispatcher,
            embedder=embedder,
            index=index,
            unit_of_work=PostgresUnitOfWork(engine),
            upload_reader=LimitedUploadReader(process, limits),
            clock=_now,
            scratch=settings.scratch,
            upload_limits=limits,
            hold_events_for=timedelta(0) if settings.async_milvus_processing else LONGEST_WORK,
            readiness_checks=_readiness_checks(engine, dispatcher, index, embedder, blobs),
        )


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _vector_index(settings: Settings, embedder: Embedder) -> MilvusVectorIndex:
    if settings.milvus_embedding_dim not in {None, embedder.model.dimension}:
        raise MisconfiguredError(
            f"the setting MILVUS_EMBEDDING_DIM is not the dimension of the embedding model, {embedder.model.dimension}"
        )
    return MilvusVectorIndex(
        uri=settings.milvus_address,
        token=settings.milvus_token,
        database=settings.milvus_database,
        alias=settings.milvus_collection_name,
        model=embedder.model,
        rendering_version=RENDERING_VERSION,
    )


async def _blob_store(settings: Settings) -> BlobStore:
    store = LocalDiskBlobStore(Path(settings.storage_local_root))
    await store.sweep_temporary(older_than=_LEFTOVERS_AFTER)
    return store


async def _probe() -> AsyncIterator[bytes]:
    yield b"can a file be stored?"


def _readiness_checks(
    engine: AsyncEngine, dispatcher: ArqDispatcher, index: MilvusVectorIndex, embedder: Embedder, blobs: BlobStore
) -> dict[str, Check]:
    async def postgres() -> None:
        if not await is_current(engine):
            raise MisconfiguredError("the schema is not the one this version needs: run `ladderbase migrate`")

    async def worker() -> None:
        if not await dispatcher.has_worker():
            raise UnavailableError("worker", "no worker has given a sign of life")

    async def embeds() -> None:
        await embedder.embed(["ready?"])

    async def stores() -> None:
        folder = f"readiness/{uuid4().hex}"
        await blobs.put(f"{folder}/probe", _probe())
        await blobs.delete_below(folder)

    return {"postgres": postgres, "worker": worker, "milvus": index.ping, "embedder": embeds, "blob store": stores}
