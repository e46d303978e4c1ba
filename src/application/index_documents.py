"""Index documents: read, embed, write vectors, prove that they are there, and only then record `indexed`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from application.indexing import IndexingSteps, Surroundings, Workpiece
from application.spool import scratch_folder
from domain.chunk import Chunk, chunk_id
from domain.document import Document, DocumentRef
from domain.errors import NotFoundError, UnavailableError
from domain.events import LEASE, DocumentsRegistered, StartedEvent
from domain.ports.blob_store import BlobStore
from domain.ports.document_repo import IndexedDocument
from domain.ports.embedder import Embedder
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import IndexEntry, VectorIndex
from domain.registration import program_prefix
from domain.vectors import Vectors

CHUNKS_PER_CHECKPOINT = 512
CHUNKS_PER_EMBEDDING = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocuments:
    """Handles DocumentsRegistered. Repeating it, in part or in parallel, writes the same rows.

    Documents are recorded checkpoint by checkpoint, so that a retry resumes where the last attempt ended;
    the event is finished in the transaction of the last one.
    """

    unit_of_work: UnitOfWork
    steps: IndexingSteps
    embedder: Embedder
    index: VectorIndex
    blobs: BlobStore
    scratch: Path

    async def __call__(self, started: StartedEvent, event: DocumentsRegistered) -> None:
        """Raises UnavailableError when a dependency gives no answer, ConflictError when the lease is lost."""
        documents = await self._begin(event)
        if documents:
            async with scratch_folder(self.scratch) as folder:
                surroundings = await self._surroundings(event.pgm_id, folder)
                if surroundings:
                    for pieces in _checkpoints(await self.steps.read(documents, surroundings)):
                        await self._index(started, pieces)
        await self.remove_what_is_stale(event)
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.finish(started)

    async def forget(self, event: DocumentsRegistered) -> None:
        """Remove what was written for documents that are given up. Raises UnavailableError."""
        await self.index.remove_documents(event.documents)

    async def _begin(self, event: DocumentsRegistered) -> list[Document]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.documents.begin_indexing(event.documents)

    async def _surroundings(self, pgm_id: str, scratch: Path) -> Surroundings | None:
        try:
            async with self.unit_of_work.begin() as transaction:
                template = await transaction.programs.template_of(pgm_id)
                comments = await transaction.programs.comments_of(pgm_id)
        except NotFoundError:
            return None  # deleted since: its documents are unknown now, and what was written is removed below
        return Surroundings(pgm_id=pgm_id, template=template, comments=comments, scratch=scratch)

    async def _index(self, started: StartedEvent, pieces: Sequence[Workpiece]) -> None:
        good = [piece for piece in pieces if piece.failure is None]
        await self._write_vectors(good)
        await self._prove(good)
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.extend(started, lease=LEASE)  # refuses the commit of whoever lost the lease
            await transaction.documents.mark_indexed(
                [IndexedDocument(ref=piece.document.ref, chunks=piece.chunks) for piece in good]
            )
            await transaction.documents.mark_failed(
                [(piece.document.ref, piece.failure) for piece in pieces if piece.failure is not None]
            )

    async def _write_vectors(self, pieces: Sequence[Workpiece]) -> None:
        chunks = [(piece.document, chunk) for piece in pieces for chunk in piece.chunks]
        for start in range(0, len(chunks), CHUNKS_PER_EMBEDDING):
            batch = chunks[start : start + CHUNKS_PER_EMBEDDING]
            vectors = await self._embed([chunk.dense_text for _, chunk in batch])
            await self.index.upsert([_entry(document, chunk) for document, chunk in batch], vectors)

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        """Embed each distinct text once: untitled rungs of one logic often render alike."""
        distinct = list(dict.fromkeys(texts))
        vectors = await self.embedder.embed(distinct)
        if len(vectors) != len(distinct) or not vectors.are_finite():
            raise UnavailableError("embedder", "it answered with too few vectors, or with numbers that are none")
        place = {text: number for number, text in enumerate(distinct)}
        return Vectors(dimension=vectors.dimension, buffer=b"".join(vectors.row(place[text]) for text in texts))

    async def _prove(self, pieces: Sequence[Workpiece]) -> None:
        """Never `indexed` on the index's word alone: read back what it holds."""
        expected = {chunk_id(piece.document.ref, chunk.ordinal) for piece in pieces for chunk in piece.chunks}
        held = await self.index.chunk_ids([piece.document.ref for piece in pieces])
        if held - expected:
            # Nothing else would ever take them away; the next attempt writes the rest anew.
            await self.index.remove_documents([piece.document.ref for piece in pieces])
        if held != expected:
            missing, surplus = len(expected - held), len(held - expected)
            raise UnavailableError("milvus", f"of {len(expected)} chunks, {missing} are missing, {surplus} too many")

    async def remove_what_is_stale(self, event: DocumentsRegistered) -> None:
        """A delete or a newer generation may have overtaken us, now or in an attempt that died."""
        async with self.unit_of_work.begin() as transaction:
            current = await transaction.documents.current(event.documents)
        stale: list[DocumentRef] = [ref for ref in event.documents if ref not in current]
        if not stale:
            return
        await self.index.remove_documents(stale)
        try:
            async with self.unit_of_work.begin() as transaction:
                await transaction.programs.comments_of(event.pgm_id)
        except NotFoundError:
            await self.blobs.delete_below(program_prefix(event.pgm_id))


def _checkpoints(pieces: Sequence[Workpiece]) -> Iterator[list[Workpiece]]:
    """Whole documents, as many as hold CHUNKS_PER_CHECKPOINT chunks together, at least one."""
    checkpoint: list[Workpiece] = []
    chunks = 0
    for piece in sorted(pieces, key=lambda piece: piece.document.ordinal):
        checkpoint.append(piece)
        chunks += len(piece.chunks)
        if chunks >= CHUNKS_PER_CHECKPOINT:
            yield checkpoint
            checkpoint, chunks = [], 0
    if checkpoint:
        yield checkpoint


def _entry(document: Document, chunk: Chunk) -> IndexEntry:
    return IndexEntry(
        chunk_id=chunk_id(document.ref, chunk.ordinal),
        pgm_id=document.pgm_id,
        document=document.ref,
        document_type=document.document_type,
        folder_id=chunk.place.folder_id,
        logic_id=chunk.place.logic_id,
        lexical_text=chunk.lexical_text,
    )
