"""What must answer before the service calls itself ready."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.durability import weakened_settings
from adapters.postgres.migrations_runner import is_current
from application.check_readiness import VECTOR_INDEX, Check, RememberedCheck
from domain.errors import MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.blob_store import BlobStore
from domain.ports.catalogue import Catalogue
from domain.ports.embedder import Embedder


class SignsOfLife(Protocol):
    """What knows of the workers, and of the queue in front of them."""

    async def has_worker(self) -> bool:
        """Whether one has given a sign of life lately."""
        ...

    async def require_lasting(self) -> None:
        """Raise MisconfiguredError where the queue may forget, UnavailableError where it is silent."""
        ...


class Pinged(Protocol):
    """What answers for the vector index."""

    async def ping(self) -> str | None:
        """What it cannot do, if anything. Raises UnavailableError or MisconfiguredError unless it can be searched."""
        ...


def readiness_checks(
    *,
    engine: AsyncEngine,
    dispatcher: SignsOfLife,
    index: Pinged,
    key: IndexKey,
    embedder: Embedder,
    blobs: BlobStore,
    scratch: Path,
    catalogue: Catalogue,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Check]:
    """One check per dependency, by the name under which `/readyz` says that it is waited for.

    What a provider may charge for (an embedding, a stored object) is remembered: probes come every few seconds.
    """

    async def postgres() -> str | None:
        if not await is_current(engine):
            raise MisconfiguredError("the schema is not the one this version needs: run `ladderbase migrate`")
        weakened = await weakened_settings(engine)
        return f"{', '.join(weakened)} off: a crash may cost what was accepted" if weakened else None

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
        "queue": dispatcher.require_lasting,
        "worker": worker,
        "milvus": index.ping,
        VECTOR_INDEX: partial(_require_complete, catalogue, key),
        "embedder": RememberedCheck(embeds, clock=clock),
        "blob store": RememberedCheck(stores, clock=clock),
        "scratch disk": spools,
    }


async def _require_complete(catalogue: Catalogue, key: IndexKey) -> None:
    found = await catalogue.index(key)
    if not found.is_complete:
        raise UnavailableError(VECTOR_INDEX, f"it is being built: {found.held} of {found.total} documents")


async def _probe() -> AsyncIterator[bytes]:
    yield b"can a file be stored?"


def _write_and_forget(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
