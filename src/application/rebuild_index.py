"""Build the index of another model or rendering aside, or one that was lost, and make it the current one."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from application.indexing import IndexingSteps, Workpiece, surroundings_of
from application.spool import scratch_folder
from application.write_vectors import WriteVectors, checkpoints, indexed_documents
from domain.document import Document, DocumentRef
from domain.errors import ConflictError, UnavailableError
from domain.events import DOCUMENTS_PER_EVENT, DocumentsRegistered
from domain.ports.catalogue import Catalogue, IndexView
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.vector_index import VectorIndex

DOCUMENTS_PER_LOOK = 1_024
# Documents that come in all the time may postpone the switch this often before it is called an outage.
_ROUNDS = 100
LEASE = timedelta(minutes=2)
"""How long a builder may be silent before another one takes its work over."""


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
        builds this index, UnavailableError when a dependency gives no answer: calling again goes on.
        """
        await self._begin(builder)
        before: list[DocumentRef] = []
        for _ in range(_ROUNDS):
            while documents := await self._lacking():
                if before == (before := [document.ref for document in documents]):
                    raise UnavailableError("vector index", f"{len(before)} documents are lacking as soon as built")
                for program in _by_program(documents):
                    await self._take(builder)
                    await self._build(program)
                    yield await self.catalogue.index(self.index.key)
            if not await self._agrees():
                before = []
            elif await self._switch():
                await self.index.publish()
                return
        raise UnavailableError("vector index", f"it was not complete after {_ROUNDS} rounds")

    async def _begin(self, builder: str) -> None:
        async with self.unit_of_work.begin() as transaction:
            await transaction.indexes.begin(self.index.key)
        await self._take(builder)
        await self.index.prepare()

    async def _take(self, builder: str) -> None:
        async with self.unit_of_work.begin() as transaction:
            if not await transaction.indexes.take_building(self.index.key, builder=builder, lease=LEASE):
                raise ConflictError(f"somebody else builds the index of {self.index.key}")

    async def _agrees(self) -> bool:
        """Whether the index holds what is recorded; if not, every document is looked at once more.

        It may hold more: what was deleted a moment ago is purged later.
        """
        async with self.unit_of_work.begin() as transaction:
            recorded = await transaction.indexes.chunks_held(self.index.key)
        if (await self.index.count() or 0) >= recorded:
            return True
        async with self.unit_of_work.begin() as transaction:
            await transaction.indexes.lost(self.index.key)
        return False

    async def _switch(self) -> bool:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.indexes.complete(self.index.key)

    async def _lacking(self) -> Sequence[Document]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.indexes.lacking(self.index.key, limit=DOCUMENTS_PER_LOOK)

    async def _build(self, documents: Sequence[Document]) -> None:
        """All of one program. What cannot be read goes back to the outbox, which knows how to fail it."""
        pgm_id = documents[0].pgm_id
        async with scratch_folder(self.scratch) as folder:
            surroundings = await surroundings_of(pgm_id, self.unit_of_work, scratch=folder)
            pieces = await self.steps.read(documents, surroundings) if surroundings else []
            for checkpoint in checkpoints([piece for piece in pieces if piece.failure is None]):
                await self._write(checkpoint)
        await self._restart(pgm_id, [piece.document.ref for piece in pieces if piece.failure is not None])

    async def _write(self, pieces: Sequence[Workpiece]) -> None:
        if not await self.vectors.are_held(pieces):
            await self.vectors.write(pieces)
            await self.vectors.prove(pieces)
        async with self.unit_of_work.begin() as transaction:
            recorded = await transaction.documents.add_rendering(indexed_documents(pieces, self.index.key))
            await transaction.indexes.record(self.index.key, recorded)
        if stale := [piece.document.ref for piece in pieces if piece.document.ref not in recorded]:
            await self.index.remove_documents(stale)

    async def _restart(self, pgm_id: str, unreadable: Sequence[DocumentRef]) -> None:
        if not unreadable:
            return
        async with self.unit_of_work.begin() as transaction:
            restarted = await transaction.documents.restart(unreadable)
            if restarted:
                # The old references too: what indexes hold for them is removed by whoever handles the event.
                event = DocumentsRegistered(pgm_id=pgm_id, documents=(*restarted, *unreadable))
                await transaction.outbox.add([event])


def _by_program(documents: Sequence[Document]) -> list[list[Document]]:
    """Slices of at most DOCUMENTS_PER_EVENT documents of one program each, in their order."""
    by_program = (list(group) for _, group in groupby(documents, key=lambda document: document.pgm_id))
    return [
        of_one[start : start + DOCUMENTS_PER_EVENT]
        for of_one in by_program
        for start in range(0, len(of_one), DOCUMENTS_PER_EVENT)
    ]
