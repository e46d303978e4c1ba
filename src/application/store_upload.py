"""Store the files of an upload under a prefix of its own, all of them or none."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from application.spool import store_file
from application.together import together
from domain.document import DocumentType
from domain.errors import ConflictError
from domain.ports.blob_store import BlobStore, StoredBlob
from domain.ports.program_repo import ProgramRepo
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import revision_prefix
from domain.upload import SpooledFile

Files = Mapping[DocumentType, tuple[SpooledFile, str]]
"""Each with the key under which it is stored."""

StoredFiles = Mapping[DocumentType, tuple[SpooledFile, StoredBlob]]
_MOST_DRAWS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A revision that nobody else was given."""

    pgm_id: str
    revision: int

    @property
    def prefix(self) -> str:
        """The folder of its blobs."""
        return revision_prefix(self.pgm_id, self.revision)


class HasPrefix(Protocol):
    """What is drawn: a number that was given out once, so that its folder is nobody else's."""

    @property
    def prefix(self) -> str:
        """The folder."""
        ...


D = TypeVar("D", bound=HasPrefix)

Draw = Callable[[ProgramRepo, int], Awaitable[D]]
"""Draws a number, leaving out so many before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUpload(Generic[D]):
    """Numbers come again after a restored backup: the blob store knows more of them then than the record.

    What stands under such a number is left as it is, for an operator to look at, and the next one is drawn. So it is
    looked for before the first blob: once ours are among others, nobody can tell which to remove.
    """

    blobs: BlobStore
    unit_of_work: UnitOfWork

    async def __call__(self, files_below: Callable[[str], Files], draw: Draw[D]) -> tuple[D, StoredFiles]:
        """Put every file at once. Raises what the blob store raises; then nothing of ours is left.

        Raises ConflictError when the blobs are thousands of numbers ahead of the record.
        """
        for number in range(_MOST_DRAWS):
            try:
                drawn = await self._announce(draw, skip=2**number - 1)
            except ConflictError:  # somebody removes just now what stood there
                continue
            if await self._is_free(drawn.prefix):
                return drawn, await self._stored(files_below(drawn.prefix), drawn.prefix)
            await self._forget(drawn.prefix)
        raise ConflictError("the blob store holds programs of numbers far beyond those that are recorded")

    async def _announce(self, draw: Draw[D], *, skip: int) -> D:
        """Record the prefix before the first blob: a crash from here on leaves nothing that no one knows of."""
        async with self.unit_of_work.begin() as transaction:
            drawn = await draw(transaction.programs, skip)
            await transaction.uploads.begin(drawn.prefix)
        return drawn

    async def _is_free(self, prefix: str) -> bool:
        """Whether nothing stands there. Who cannot tell forgets it: a sweep would remove what stands there."""
        try:
            async for _ in self.blobs.list_below(prefix):
                return False
        except Exception:
            await self._forget(prefix)
            raise
        return True

    async def _stored(self, files: Files, prefix: str) -> StoredFiles:
        try:
            blobs = await together(*(store_file(self.blobs, key, file.path) for file, key in files.values()))
        except Exception:
            await self.blobs.delete_below(prefix)
            await self._forget(prefix)
            raise
        return {kind: (file, blob) for (kind, (file, _)), blob in zip(files.items(), blobs, strict=True)}

    async def _forget(self, prefix: str) -> None:
        async with self.unit_of_work.begin() as transaction:
            await transaction.uploads.finish(prefix)
