"""Hand out a document's bytes: its own object, or the member of the archive while it has none."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from application.spool import pieces_of, scratch_folder, spool
from domain.document import Document
from domain.ports.archive_reader import ArchiveReader
from domain.ports.blob_store import BlobStore
from domain.ports.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A document and its bytes, still to be read: `pieces(start, stop)` yields [start, stop), to the end if None."""

    document: Document
    pieces: Callable[[int, int | None], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContent:
    """`scratch` is a folder on a real disk: an archive passes through it, not through memory."""

    catalogue: Catalogue
    blobs: BlobStore
    archives: ArchiveReader
    scratch: Path

    async def __call__(self, document_id: str) -> Content:
        """Raises NotFoundError when there is no such document; the pieces raise UnavailableError."""
        document = await self.catalogue.document(document_id)

        def pieces(start: int, stop: int | None) -> AsyncIterator[bytes]:
            if document.member is None:
                return self.blobs.read(document.blob_key, start=start, stop=stop)
            return self._member(document.blob_key, document.member, start, stop)

        return Content(document=document, pieces=pieces)

    async def _member(self, archive_key: str, member: str, start: int, stop: int | None) -> AsyncIterator[bytes]:
        async with (
            self._unpacked(archive_key, member) as path,
            aclosing(pieces_of(path, start=start, stop=stop)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    @asynccontextmanager
    async def _unpacked(self, archive_key: str, member: str) -> AsyncIterator[Path]:
        async with scratch_folder(self.scratch) as folder:
            archive, content = folder / "archive", folder / "content"
            await spool(self.blobs.read(archive_key), archive)
            await self.archives.extract(archive, member, to=content)
            yield content
