"""Index documents: read, embed, write vectors, prove that they are there, and only then record `indexed`."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from application.indexing import IndexingSteps, Workpiece, by_revision, surroundings_of
from application.remove_vectors import remove_former
from application.spool import scratch_folder
from application.stages import at
from application.together import both
from application.write_vectors import WriteVectors, checkpoints, indexed_documents
from domain.document import Document, DocumentRef
from domain.events import LEASE, DocumentsRegistered, RevisionSuperseded, StartedEvent
from domain.failures import FailedAttempt, Reached, Stage
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.ports.vector_index import VectorIndex
from domain.registration import revision_of, revision_prefix

_Settle = Callable[[Sequence[Workpiece]], Coroutine[None, None, None]]


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

    async def __call__(
        self, started: StartedEvent, event: DocumentsRegistered, *, reached: Reached, lease: timedelta = LEASE
    ) -> None:
        """Raises UnavailableError when a dependency gives no answer, ConflictError when the lease is lost.

        Each checkpoint holds the event for `lease` more.
        """
        reached(Stage.READ)
        settle = partial(self._settle, started, event.pgm_id, reached=reached, lease=lease)
        for documents in by_revision(sorted(await self._begin(event), key=lambda document: document.revision)):
            await self._index(documents, settle, reached)
        reached(Stage.INDEX)
        await self.remove_what_is_stale(event)
        reached(Stage.RECORD)
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.finish(started)
            await transaction.announcements.ended(event.pgm_id)

    async def _index(self, documents: Sequence[Document], settle: _Settle, reached: Reached) -> None:
        """All of one revision: a template and comments are its own."""
        async with scratch_folder(self.scratch) as folder:
            surroundings = await surroundings_of(documents[0], self.unit_of_work, scratch=folder)
            if surroundings is None:
                return
            embedded = await self._embedded_texts(documents)
            written: list[Workpiece] = []
            for read in checkpoints(await self.steps.read(documents, surroundings), embedded):
                writing = self.vectors.write(read, embedded, reached=reached)
                written, _ = await both(writing, settle(written))  # those of before
            await settle(written)

    async def forget(self, started: StartedEvent, event: DocumentsRegistered, *, lease: timedelta = LEASE) -> None:
        """Remove what was written for documents that are given up; those that are indexed by now keep theirs.

        Raises UnavailableError, ConflictError when the lease is lost: then another one may have written them anew.
        """
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.extend(started, lease=lease)
            unfinished = await transaction.documents.begin_indexing(event.documents)
        await self.index.remove_documents([document.ref for document in unfinished])
        await self.remove_what_is_stale(event)

    async def _begin(self, event: DocumentsRegistered) -> list[Document]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.documents.begin_indexing(event.documents)

    async def _embedded_texts(self, documents: Sequence[Document]) -> Mapping[bytes, str]:
        """Of a revision, few texts are new: those of the others have their vectors under another chunk's id."""
        logic_ids = {document.logic_id for document in documents}
        async with self.unit_of_work.begin() as transaction:
            return await transaction.documents.embedded_texts(
                documents[0].pgm_id, logic_ids, rendering_version=self.index.key.rendering_version
            )

    async def _settle(
        self, started: StartedEvent, pgm_id: str, pieces: Sequence[Workpiece], *, reached: Reached, lease: timedelta
    ) -> None:
        if pieces:
            await at(Stage.PROVE, reached, self.vectors.prove(_good(pieces)))
            await at(Stage.RECORD, reached, self._record(started, pieces, pgm_id, lease=lease))

    async def _record(
        self, started: StartedEvent, pieces: Sequence[Workpiece], pgm_id: str, *, lease: timedelta
    ) -> None:
        recorded = indexed_documents(_good(pieces), self.index.key)
        failures = {p.document.ref: (p.failure, p.failed_at) for p in pieces if p.failure is not None}
        async with self.unit_of_work.begin() as transaction:
            await transaction.outbox.extend(started, lease=lease)  # refuses the commit of whoever lost the lease
            await transaction.indexes.hold_current(self.index.key)
            await transaction.programs.hold_pending(pgm_id)
            indexed = await transaction.documents.mark_indexed(recorded)
            await transaction.uses.record([piece for piece in recorded if piece.ref in indexed])
            await transaction.indexes.record(self.index.key, indexed)
            await self._promote(transaction, pgm_id)
            failed = await transaction.documents.mark_failed([(ref, failure) for ref, (failure, _) in failures.items()])
            await transaction.failures.record(
                [
                    FailedAttempt.of(started, failure, stage=stage).final_for(ref)
                    for ref, (failure, stage) in failures.items()
                    if ref in failed
                ]
            )

    async def _promote(self, transaction: Transaction, pgm_id: str) -> None:
        """What searches see flips from one revision to the next in the transaction of its last documents."""
        replaced = await transaction.programs.promote(pgm_id)
        if replaced is not None:
            await transaction.outbox.add([RevisionSuperseded(pgm_id=pgm_id, revision=replaced)])

    async def remove_what_is_stale(self, event: DocumentsRegistered) -> None:
        """A delete, another revision or generation may have overtaken us, or one that died; and we another."""
        async with self.unit_of_work.begin() as transaction:
            current = await transaction.documents.current(event.documents)
        # Not of the stale ones, which may be newer than the record after a restored backup; their purges name them.
        await remove_former(self.index, [ref for ref in event.documents if ref in current])
        stale: list[DocumentRef] = [ref for ref in event.documents if ref not in current]
        if not stale:
            return
        await self.index.remove_documents(stale)
        await self._remove_unowned_blobs(event.pgm_id, {revision_of(ref) for ref in stale})

    async def _remove_unowned_blobs(self, pgm_id: str, revisions: Iterable[int]) -> None:
        """What we wrote for documents of a revision, or of a program, that was purged meanwhile has no other owner."""
        for revision in revisions:
            async with self.unit_of_work.begin() as transaction:
                # Not of a program that is merely unknown: after a restored backup its id may be given out anew.
                is_gone = await transaction.programs.is_gone(pgm_id, revision)
            if is_gone:
                await self.blobs.delete_below(revision_prefix(pgm_id, revision))


def _good(pieces: Sequence[Workpiece]) -> list[Workpiece]:
    return [piece for piece in pieces if piece.failure is None]
