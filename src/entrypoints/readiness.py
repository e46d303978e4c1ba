"""What must answer before the service calls itself ready."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.milvus.vector_index import MilvusVectorIndex
from adapters.postgres.migrations_runner import is_current
from adapters.queue.arq_dispatcher import ArqDispatcher
from application.check_readiness import Check
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.blob_store import BlobStore
from domain.ports.embedder import Embedder


def readiness_checks(
    *,
    engine: AsyncEngine,
    dispatcher: ArqDispatcher,
    index: MilvusVectorIndex,
    embedder: Embedder,
    blobs: BlobStore,
    scratch: Path,
) -> dict[str, Check]:
    """One check per dependency, by the name under which `/readyz` says that it is waited for."""

    async def postgres() -> None:
        if not await is_current(engine):
            raise MisconfiguredError("the schema is not the one this version needs: run `ladderbase migrate`")

    async def worker() -> None:
        if not await dispatcher.has_worker():
            raise UnavailableError("worker", "no worker has given a sign of life")

    async def embeds() -> None:
        await embedder.embed(["ready?"])

    async def stores() -> None:
        await blobs.put("readiness/probe", _probe())  # the same each time: nothing piles up

    async def spools() -> None:
        try:
            await asyncio.to_thread(_write_and_forget, scratch)
        except OSError as error:
            raise UnavailableError("scratch disk", error.strerror or type(error).__name__) from error

    return {
        "postgres": postgres,
        "worker": worker,
        "milvus": index.ping,
        "embedder": embeds,
        "blob store": stores,
        "scratch disk": spools,
    }


async def _probe() -> AsyncIterator[bytes]:
    yield b"can a file be stored?"


def _write_and_forget(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
