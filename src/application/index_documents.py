"""Index documents: read, embed, write vectors, prove that they are there, and only then record `indexed`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from application.indexing import IndexingSteps, Workpiece, surroundings_of
from application.spool import scratch_folder
from application.write_vectors import WriteVectors, checkpoints, indexed_documents
from domain.document import Document, DocumentRef
from domain.events import LEASE, DocumentsRegistered, StartedEvent
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex
from domain.registration import program_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocuments:
    """Handles DocumentsRegistered. Repeating it, in part or in parallel, writes the same rows.

    Documents are recorded checkpoint by checkpoint, so that a retry resumes where the last attempt ended;
    the event is finished in the transaction of the last one.
    """

    unit_of_work: UnitOfWork
    steps: IndexingSteps
    vectors: WriteVectors
    index: VectorIndex
    blobs: BlobStore
    scratch: Path

    async def __call__(self, started: StartedEvent, event: DocumentsRegistered) -> None:
        """Raises UnavailableError when a dependency gives no answer, ConflictError when the lease is lost."""
        documents = await self._begin(event)
        if documents:
            async with scratch_folder(self.scratch) as folder:
                surroundings = await surroundings_of(event.pgm_id, self.unit_of_work, scratch=folder)
                if surroundings:
                    for pieces in checkpoints(await self.steps.read(documents, surroundings)):
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

    async def _index(self, started: StartedEvent, pieces: Sequence[Workpiece]) -> None:
        good = [piece for piece in pieces if piece.failure is None]
        await self.vectors.write(good)
        await self.vectors.prove(good)
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.extend(started, lease=LEASE)  # refuses the commit of whoever lost the lease
            await transaction.indexes.hold_current(self.index.key)
            indexed = await transaction.documents.mark_indexed(indexed_documents(good, self.index.key))
            await transaction.indexes.record(self.index.key, indexed)
            await transaction.documents.mark_failed(
                [(piece.document.ref, piece.failure) for piece in pieces if piece.failure is not None]
            )

    async def remove_what_is_stale(self, event: DocumentsRegistered) -> None:
        """A delete or a newer generation may have overtaken us, now or in an attempt that died."""
        async with self.unit_of_work.begin() as transaction:
            current = await transaction.documents.current(event.documents)
        stale: list[DocumentRef] = [ref for ref in event.documents if ref not in current]
        if not stale:
            return
        await self.index.remove_documents(stale)
        async with self.unit_of_work.begin() as transaction:
            # Not of a program that is merely unknown: after a restored backup its id may be given out anew.
            is_deleted = await transaction.programs.is_deleted(event.pgm_id)
        if is_deleted:
            await self.blobs.delete_below(program_prefix(event.pgm_id))
