"""Whether the blob store keeps what it is given, gives it back and removes it: asked by doing so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.errors import UnavailableError
from domain.ports.blob_store import BlobStore

PROBES = "readiness/doctor/"
"""Where probes stand for a moment: no program's folder, and none that a sweep looks into."""

_CONTENT = b"is a file kept, given back and removed?"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeBlobStore:
    """`name` is one that no other probe has, for two may ask at once."""

    blobs: BlobStore
    name: str

    async def __call__(self) -> None:
        """Raises what the store raises, and UnavailableError where it does not do what it says it did."""
        folder = f"{PROBES}{self.name}/"
        try:
            await self.blobs.put(f"{folder}probe", _content())
            found = b"".join([piece async for piece in self.blobs.read(f"{folder}probe")])
        finally:
            removed = await self.blobs.delete_below(folder)
        if found != _CONTENT:
            raise UnavailableError("blob store", "it gives back other bytes than it was given")
        if removed != 1:
            raise UnavailableError("blob store", f"it removed {removed} blobs where there was one")


async def _content() -> AsyncIterator[bytes]:
    yield _CONTENT
