"""The blob store and the unit of work as whoever looks on sees them."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import timedelta
from typing import cast

from adapters.telemetry.telemetry import Telemetry
from domain.ports.blob_store import BlobEntry, BlobStore, KeepsHalfWritten, StoredBlob
from domain.ports.unit_of_work import Transaction, UnitOfWork


def observed_blobs(inner: BlobStore, telemetry: Telemetry) -> BlobStore:
    """The store, able to do what it was able to do before."""
    if isinstance(inner, KeepsHalfWritten):
        return _ObservedSweepableBlobStore(inner, telemetry)
    return ObservedBlobStore(inner, telemetry)


class ObservedBlobStore(BlobStore):
    """Times and traces each call. Reads and listings take as long as their readers: those are not timed."""

    def __init__(self, inner: BlobStore, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        """See the port."""
        with self._call("put"):
            return await self._inner.put(key, content)

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """See the port."""
        return self._inner.read(key, start=start, stop=stop)

    async def size(self, key: str) -> int:
        """See the port."""
        with self._call("size"):
            return await self._inner.size(key)

    async def delete_below(self, prefix: str) -> int:
        """See the port."""
        with self._call("delete_below"):
            return await self._inner.delete_below(prefix)

    def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        """See the port."""
        return self._inner.list_below(prefix)

    def _call(self, operation: str) -> AbstractContextManager[None]:
        return self._telemetry.call(self._telemetry.metrics.blob_store_seconds, "blobs", operation=operation)


class _ObservedSweepableBlobStore(ObservedBlobStore, KeepsHalfWritten):
    async def sweep_temporary(self, *, older_than: timedelta) -> int:
        """See the port."""
        return await cast("KeepsHalfWritten", self._inner).sweep_temporary(older_than=older_than)


class ObservedUnitOfWork(UnitOfWork):
    """Traces each transaction, from its beginning to its commit."""

    def __init__(self, inner: UnitOfWork, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """See the port."""
        with self._telemetry.spans.within("postgres transaction"):
            async with self._inner.begin() as transaction:
                yield transaction
