"""Hand out a program as one ZIP: every document of a revision but the ladder ZIP that they came in."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from application.spool import pieces_of, remove_file, scratch_folder, spool
from application.zip_stream import ZipEntry, zipped
from domain.document import Document
from domain.export import exported_names
from domain.ports.archive_reader import ArchiveReader
from domain.ports.blob_store import BlobStore
from domain.ports.catalogue import Catalogue
from domain.program import Program

_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A program and its ZIP, still to be made. `digest` (hex) is of what goes into it, not of its bytes."""

    program: Program
    digest: str
    pieces: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgram:
    """Where each document has its own object, the ladder ZIP may be gone: it is read for what has none alone."""

    catalogue: Catalogue
    blobs: BlobStore
    archives: ArchiveReader
    scratch: Path

    async def __call__(self, pgm_id: str, *, revision: int | None = None) -> Exported:
        """The revision that answers unless told. Raises NotFoundError; the pieces raise UnavailableError."""
        program = (await self.catalogue.program(pgm_id)).program
        documents = await self._documents(pgm_id, program.revision if revision is None else revision)
        named = exported_names(documents)
        return Exported(program=program, digest=_digest(named), pieces=self._pieces(named))

    async def _documents(self, pgm_id: str, revision: int) -> list[Document]:
        """All of one revision, though another may begin to answer meanwhile."""
        page = await self.catalogue.documents(pgm_id, limit=_PAGE, revision=revision)
        documents = list(page.items)
        while page.next_cursor is not None:
            page = await self.catalogue.documents(pgm_id, limit=_PAGE, cursor=page.next_cursor, revision=revision)
            documents.extend(page.items)
        return documents

    async def _pieces(self, named: Sequence[tuple[str, Document]]) -> AsyncGenerator[bytes, None]:
        async with (
            scratch_folder(self.scratch) as folder,
            aclosing(self._entries(named, folder)) as entries,
            aclosing(zipped(entries)) as pieces,
        ):
            async for piece in pieces:
                yield piece

    async def _entries(self, named: Sequence[tuple[str, Document]], folder: Path) -> AsyncGenerator[ZipEntry, None]:
        for name, document in named:
            yield ZipEntry(
                name=name,
                size_bytes=document.size_bytes,
                modified=document.create_dt,
                content=self._content(document, folder),
            )

    async def _content(self, document: Document, folder: Path) -> AsyncGenerator[bytes, None]:
        if document.member is None:
            async for piece in self.blobs.read(document.blob_key):
                yield piece
            return
        archive, content = folder / "archive", folder / document.document_id
        if not await asyncio.to_thread(archive.exists):  # once for all that have no object of their own
            await spool(self.blobs.read(document.blob_key), archive)
        await self.archives.extract(archive, document.member, to=content)
        async with aclosing(pieces_of(content)) as pieces:
            async for piece in pieces:
                yield piece
        await remove_file(content)


def _digest(named: Sequence[tuple[str, Document]]) -> str:
    lines = (f"{name}\0{document.sha256}\0{document.create_dt.isoformat()}\n" for name, document in named)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
