"""A blob store in memory, and one that fails as scripted."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from adapters.blobs.keys import checked_key, checked_prefix, checked_range
from domain.errors import ConflictError, NotFoundError, UnavailableError
from domain.ports.blob_store import BlobEntry, BlobStore, StoredBlob

PIECE_BYTES = 1024 * 1024
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class InMemoryBlobStore(BlobStore):
    """Blobs in a dict; all of them were `modified` at the moment given."""

    def __init__(self, *, modified: datetime = LONG_AGO) -> None:
        self._modified = modified
        self._blobs: dict[str, bytes] = {}

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        checked_key(key)
        received = b"".join([piece async for piece in content])
        if any(_is_below(key, taken) or _is_below(taken, key) for taken in self._blobs):
            raise ConflictError(f"{key} and another blob cannot both be")
        if self._blobs.setdefault(key, received) != received:
            raise ConflictError(f"{key} holds other content")
        return StoredBlob(key=key, size_bytes=len(received), sha256=hashlib.sha256(received).hexdigest())

    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        checked_range(start, stop)
        wanted = self._found(key)[start:stop]
        for offset in range(0, len(wanted), PIECE_BYTES):
            yield wanted[offset : offset + PIECE_BYTES]

    async def size(self, key: str) -> int:
        return len(self._found(key))

    async def delete_below(self, prefix: str) -> int:
        doomed = [key for key in self._blobs if _is_below(key, checked_key(checked_prefix(prefix)))]
        for key in doomed:
            del self._blobs[key]
        return len(doomed)

    async def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        folder = checked_prefix(prefix)
        for key in sorted(key for key in self._blobs if not folder or _is_below(key, folder)):
            if key in self._blobs:
                yield BlobEntry(key=key, size_bytes=len(self._blobs[key]), modified=self._modified)

    def _found(self, key: str) -> bytes:
        try:
            return self._blobs[checked_key(key)]
        except KeyError:
            raise NotFoundError("blob", key) from None


class UnavailableBlobStore(BlobStore):
    """Another store that fails its first `failures` calls; a call is a put, a read, a size, a removal, a listing."""

    def __init__(self, store: BlobStore, *, failures: int) -> None:
        self._store = store
        self.failures_left = failures

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        self._fail_as_scripted()
        return await self._store.put(key, content)

    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        self._fail_as_scripted()
        async for piece in self._store.read(key, start=start, stop=stop):
            yield piece

    async def size(self, key: str) -> int:
        self._fail_as_scripted()
        return await self._store.size(key)

    async def delete_below(self, prefix: str) -> int:
        self._fail_as_scripted()
        return await self._store.delete_below(prefix)

    async def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        self._fail_as_scripted()
        async for entry in self._store.list_below(prefix):
            yield entry

    def _fail_as_scripted(self) -> None:
        if self.failures_left > 0:
            self.failures_left -= 1
            raise UnavailableError("blob store", "as scripted")


def _is_below(key: str, folder: str) -> bool:
    return key.startswith(f"{folder}/")
