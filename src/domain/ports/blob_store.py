"""Where files are kept, byte for byte."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob that stands. `sha256` is hex."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobEntry:
    """A blob as a listing shows it."""

    key: str
    size_bytes: int
    modified: datetime


class BlobStore(Protocol):
    """Write-once bytes under a key.

    Keys are relative POSIX paths; anything else raises ValueError. Every method raises UnavailableError
    when the backend cannot answer; a caller may repeat the call.
    """

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        """Store content under key, durably when this returns.

        Repeating an identical put is a no-op; other content under a taken key raises ConflictError. A put
        that fails leaves nothing under the key, one that is cancelled the whole content or nothing.
        """
        ...

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield the bytes [start, stop) in pieces of at most 1 MiB. Raises NotFoundError at the first piece."""
        ...

    async def size(self, key: str) -> int:
        """The number of bytes under key. Raises NotFoundError."""
        ...

    async def delete_below(self, prefix: str) -> int:
        """Delete every blob whose key starts with the folder prefix; return how many. Nothing there is no error."""
        ...

    def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        """Yield every blob below the folder prefix in key order; '' means all."""
        ...


@runtime_checkable
class KeepsHalfWritten(Protocol):
    """A blob store in which a put that crashes leaves something that no listing shows: not every one does."""

    async def sweep_temporary(self, *, older_than: timedelta) -> int:
        """Remove what nobody wrote to for so long; how many. Raises UnavailableError."""
        ...
