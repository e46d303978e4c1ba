"""Build the index of another model or rendering aside, or one that was lost, and make it the current one."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from application.indexing import IndexingSteps, Workpiece, by_revision, surroundings_of
from application.spool import scratch_folder
from application.write_vectors import WriteVectors, checkpoints, indexed_documents
from domain.document import Document, DocumentRef, Failure
from domain.errors import ConflictError, LadderbaseError, UnavailableError
from domain.events import DOCUMENTS_PER_EVENT, DocumentsRegistered
from domain.failures import FailedAttempt, Stage
from domain.ports.catalogue import Catalogue, IndexView
from domain.ports.index_registry import RecordedDocument
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex

DOCUMENTS_PER_LOOK = 1_024
# Documents that come in all the time may postpone the switch this often before it is called an outage.
_ROUNDS = 100
LEASE = timedelta(minutes=2)
"""How long a builder may be silent before another one takes its work over."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildIndex:
    """Reads every indexed document again, embeds it, and switches when nothing is lacking.

    What was built is recorded batch by batch: whoever takes over goes on there. Searches and the indexing
    of new documents go on in the current index meanwhile; what comes in is lacking here and built as well.
    """

    unit_of_work: UnitOfWork
    catalogue: Catalogue
    steps: IndexingSteps
    vectors: WriteVectors
    index: VectorIndex
    scratch: Path

    async def __call__(self, builder: str) -> AsyncIterator[IndexView]:
        """Yield how far it is; after the last one the index is current, complete and published.

        `builder` is a UUID that tells this attempt from others. Raises ConflictError while somebody else
        builds this index, UnavailableError when a dependency gives no answer: calling again goes on. Breaking
        off leaves the work to whoever calls next, at once.
        """
        async with self.unit_of_work.begin() as transaction:
            await transaction.indexes.begin(self.index.key)
        try:
            async with aclosing(self._built(builder)) as built:
                async for view in built:
                    yield view
        except (asyncio.CancelledError, GeneratorExit):
            await self._let_go(builder)
            raise

    async def _built(self, builder: str) -> AsyncGenerator[IndexView, None]:
        await self._take(builder)
        await self.index.prepare()
        before: list[DocumentRef] = []
        for _ in range(_ROUNDS):
            while documents := await self._lacking():
                if before == (before := [document.ref for document in documents]):
                    raise UnavailableError("vector index", f"{len(before)} documents are lacking as soon as built")
                for of_one_revision in by_revision(documents):
                    await self._build(of_one_revision, builder)
                    yield await self.catalogue.index(self.index.key)
            if not await self._agrees(builder):
                before = []
            elif await self._switch():
                await self.index.publish()
                return
        raise UnavailableError("vector index", f"it was not complete after {_ROUNDS} rounds")

    async def _take(self, builder: str) -> None:
        async with self.unit_of_work.begin() as transaction:
            if not await transaction.indexes.take_building(self.index.key, builder=builder, lease=LEASE):
                raise ConflictError(f"somebody else builds the index of {self.index.key}")

    async def _let_go(self, builder: str) -> None:
        with suppress(UnavailableError):
            async with self.unit_of_work.begin() as transaction:
                await transaction.indexes.take_building(self.index.key, builder=builder, lease=timedelta(0))

    async def _agrees(self, builder: str) -> bool:
        """Whether the ids that the index holds are those of every document it is recorded to hold.

        A document of which that is not so is recorded as lacking, and built once more.
        """
        after, agrees = "", True
        while documents := await self._held(after):
            after = documents[-1].ref.document_id
            await self._take(builder)
            found = await self.index.chunk_ids([document.ref for document in documents])
            if broken := [document.ref for document in documents if not document.is_whole_among(found)]:
                agrees = False
                async with self.unit_of_work.begin() as transaction:
                    await transaction.indexes.forget(self.index.key, broken)
        return agrees

    async def _held(self, after: str) -> Sequence[RecordedDocument]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.indexes.held(self.index.key, after=after, limit=DOCUMENTS_PER_EVENT)

    async def _switch(self) -> bool:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.indexes.complete(self.index.key)

    async def _lacking(self) -> Sequence[Document]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.indexes.lacking(self.index.key, limit=DOCUMENTS_PER_LOOK)

    async def _build(self, documents: Sequence[Document], builder: str) -> None:
        """All of one revision. What cannot be read goes back to the outbox, which knows how to fail it.

        So does what meets a bug, which would end one worker after the other at the same documents.
        """
        try:
            await self._build_here(documents, builder)
        except (LadderbaseError, OSError):  # OSError: the scratch disk
            raise
        except Exception:  # noqa: BLE001 - said above
            _log.exception("%d documents of %s meet a bug", len(documents), documents[0].pgm_id)
            await self._restart(documents[0].pgm_id, [document.ref for document in documents])

    async def _build_here(self, documents: Sequence[Document], builder: str) -> None:
        pgm_id = documents[0].pgm_id
        await self._take(builder)
        async with scratch_folder(self.scratch) as folder:
            surroundings = await surroundings_of(documents[0], self.unit_of_work, scratch=folder)
            pieces = await self.steps.read(documents, surroundings) if surroundings else []
            for checkpoint in checkpoints([piece for piece in pieces if piece.failure is None]):
                await self._take(builder)  # each may take a slow embedder much of the lease
                await self._fail(pgm_id, await self._write(checkpoint))
        await self._restart(pgm_id, [piece.document.ref for piece in pieces if piece.failure is not None])

    async def _write(self, pieces: Sequence[Workpiece]) -> list[tuple[DocumentRef, Failure]]:
        """Return what the embedder refuses for good, and why."""
        refused: list[tuple[DocumentRef, Failure]] = []
        if not await self.vectors.are_held(pieces):
            written = await self.vectors.write(pieces)
            refused = [(piece.document.ref, piece.failure) for piece in written if piece.failure is not None]
            pieces = [piece for piece in written if piece.failure is None]
            await self.vectors.prove(pieces)
        async with self.unit_of_work.begin() as transaction:
            recorded = await transaction.documents.add_rendering(indexed_documents(pieces, self.index.key))
            await transaction.indexes.record(self.index.key, recorded)
            stale = [piece.document.ref for piece in pieces if piece.document.ref not in recorded]
            if stale:  # in case that the index gives us no answer: nobody else knows of them
                event = DocumentsRegistered(pgm_id=pieces[0].document.pgm_id, documents=tuple(stale))
                await transaction.outbox.add([event])
        await self.index.remove_documents(stale)
        return refused

    async def _fail(self, pgm_id: str, refused: Sequence[tuple[DocumentRef, Failure]]) -> None:
        """Here, not by way of the outbox: the current index' embedder may take the text, and it would be lacking again.

        Whoever handles the event removes what other indexes hold of the documents.
        """
        if not refused:
            return
        reasons = {ref.document_id: failure for ref, failure in refused}
        async with self.unit_of_work.begin() as transaction:
            restarted = await transaction.documents.restart([ref for ref, _ in refused])
            failed = await transaction.documents.mark_failed([(ref, reasons[ref.document_id]) for ref in restarted])
            event = DocumentsRegistered(pgm_id=pgm_id, documents=(*restarted, *(ref for ref, _ in refused)))
            (event_id,) = await transaction.outbox.add([event])
            await transaction.failures.record(
                [_failed_at_rebuild(ref, reasons[ref.document_id], event_id, pgm_id) for ref in failed]
            )

    async def _restart(self, pgm_id: str, unreadable: Sequence[DocumentRef]) -> None:
        if not unreadable:
            return
        async with self.unit_of_work.begin() as transaction:
            restarted = await transaction.documents.restart(unreadable)
            if restarted:
                # The old references too: what indexes hold for them is removed by whoever handles the event.
                event = DocumentsRegistered(pgm_id=pgm_id, documents=(*restarted, *unreadable))
                await transaction.outbox.add([event])


def _failed_at_rebuild(ref: DocumentRef, failure: Failure, event_id: int, pgm_id: str) -> FailedAttempt:
    return FailedAttempt(
        pgm_id=pgm_id,
        documents=(ref,),
        event_id=event_id,
        attempt=1,
        stage=Stage.EMBED,
        failure=failure,
        is_final=True,
    )
