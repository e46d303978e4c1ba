"""The steps that documents go through: read chunks, keep each ladder as its own object, read template rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from application.indexing import Surroundings, Workpiece
from application.spool import spool, store_file
from application.together import together
from domain.chunking import template_chunks
from domain.document import Document, Failure
from domain.errors import ConflictError, NotFoundError
from domain.ports.blob_store import BlobStore
from domain.ports.chunk_reader import ChunkReader, ReadDocument
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import own_blob_key

_PUTS_AT_ONCE = 8
STORAGE_MISSING = "storage_missing"
STORAGE_CORRUPT = "storage_corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadChunks:
    """Files into chunks, ladder CSVs into rungs: each blob is fetched once, however many of the documents it holds."""

    blobs: BlobStore
    reader: ChunkReader

    async def __call__(self, pieces: Sequence[Workpiece], surroundings: Surroundings) -> list[Workpiece]:
        """Read every piece; a blob that is gone fails its documents with `storage_missing`."""
        read: list[Workpiece] = []
        by_blob = sorted((piece.document for piece in pieces), key=lambda d: (d.blob_key, d.ordinal))
        for blob_key, group in groupby(by_blob, key=lambda document: document.blob_key):
            read += await self._read_blob(blob_key, list(group), surroundings)
        return read

    async def _read_blob(self, blob_key: str, documents: list[Document], surroundings: Surroundings) -> list[Workpiece]:
        source = surroundings.scratch / f"blob-of-{documents[0].document_id}"  # other types' blobs come there as well
        try:
            await spool(self.blobs.read(blob_key), source)
        except NotFoundError:
            failure = Failure(code=STORAGE_MISSING, message="its bytes are no longer in the blob store")
            return [Workpiece(document=document, failure=failure) for document in documents]
        read = await self.reader.read(source, documents, surroundings.comments, scratch=surroundings.scratch)
        return [_workpiece(document) for document in read]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOwnObject:
    """Each ladder CSV as an object of its own, for consumers that read the store directly."""

    blobs: BlobStore
    unit_of_work: UnitOfWork

    async def __call__(self, pieces: Sequence[Workpiece], _surroundings: Surroundings) -> list[Workpiece]:
        """Store what was read and has no object yet; the bytes were checked when they were read."""
        done: list[Workpiece] = []
        for start in range(0, len(pieces), _PUTS_AT_ONCE):
            done += await together(*(self._keep(piece) for piece in pieces[start : start + _PUTS_AT_ONCE]))
        moved = [piece.document for piece in done if piece.failure is None and piece.document.member is not None]
        async with self.unit_of_work.begin() as transaction:
            for document in moved:
                await transaction.documents.move_to_own_blob(document.ref, own_blob_key(document))
        return done

    async def _keep(self, piece: Workpiece) -> Workpiece:
        if piece.content is None or piece.document.member is None:
            return piece
        try:
            await store_file(self.blobs, own_blob_key(piece.document), piece.content)
        except ConflictError:
            # A half-written or foreign object stands there: never index beside bytes that are not the client's.
            return piece.failed(Failure(code=STORAGE_CORRUPT, message="other bytes stand under its own key"))
        return piece


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTemplateRows:
    """The template was read at registration; each of its logics becomes a chunk."""

    async def __call__(self, pieces: Sequence[Workpiece], surroundings: Surroundings) -> list[Workpiece]:
        """Render the rows; nothing is fetched."""
        chunks = template_chunks(surroundings.template)
        return [replace(piece, chunks=chunks) for piece in pieces]


def _workpiece(read: ReadDocument) -> Workpiece:
    if isinstance(read.outcome, Failure):
        return Workpiece(document=read.document, failure=read.outcome)
    return Workpiece(document=read.document, chunks=read.outcome, content=read.content_path)
