"""Record what is lacking of who reads and writes which device: of documents that an older version has indexed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from application.indexing import IndexingSteps, Workpiece, by_revision, surroundings_of
from application.spool import scratch_folder
from domain.document import Document, Failure
from domain.errors import LadderbaseError
from domain.events import DOCUMENTS_PER_EVENT
from domain.ports.audit_log import AuditLog
from domain.ports.document_repo import IndexedDocument
from domain.ports.unit_of_work import UnitOfWork

EVERY = timedelta(minutes=5)
"""Also after the last one: a worker of the version before may still index documents, without their uses."""

LEASE = timedelta(minutes=2)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLackingUses:
    """The listings are read again, from the blob store; nothing is embedded, and no vector is touched.

    Whichever worker's turn it is does it. Two at once would do the same twice and harm nobody.
    """

    unit_of_work: UnitOfWork
    steps: IndexingSteps
    turns: AuditLog
    scratch: Path

    async def __call__(self) -> int:
        """Record what is lacking, if it is anybody's turn; of how many documents. Raises UnavailableError."""
        if not await self.turns.take_turn(every=EVERY, lease=LEASE):
            return 0
        done = 0
        before: Sequence[Document] = ()
        while (documents := await self._lacking()) and documents != before:
            before = documents  # what lacks them as soon as they were recorded is left to the next turn
            for of_one_revision in by_revision(documents):
                await self._record(of_one_revision)
                done += len(of_one_revision)
            await self.turns.take_turn(every=EVERY, lease=timedelta(0))  # still here
        await self.turns.record({})
        return done

    async def _lacking(self) -> Sequence[Document]:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.uses.lacking(limit=DOCUMENTS_PER_EVENT)

    async def _record(self, documents: Sequence[Document]) -> None:
        """Halved where a bug is met, until the document that meets it stands alone: of that one nothing is recorded.

        Raised, it would end every worker at its start.
        """
        try:
            pieces = await self._read(documents)
        except LadderbaseError:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            if len(documents) == 1:
                _log.exception("the uses of devices in %s are lost on a bug", documents[0].document_id)
                failure = Failure(code="internal_error", message=type(error).__name__)
                pieces = [Workpiece(document=documents[0], failure=failure)]
            else:
                middle = len(documents) // 2
                await self._record(documents[:middle])
                return await self._record(documents[middle:])
        return await self._settle(pieces)

    async def _read(self, documents: Sequence[Document]) -> list[Workpiece]:
        async with scratch_folder(self.scratch) as folder:
            surroundings = await surroundings_of(documents[0], self.unit_of_work, scratch=folder)
            return await self.steps.read(documents, surroundings) if surroundings else []

    async def _settle(self, pieces: Sequence[Workpiece]) -> None:
        unreadable = [piece for piece in pieces if piece.failure is not None]
        for piece in unreadable:
            _log.error("the uses of devices in %s are lost: %s", piece.document.document_id, piece.failure)
        async with self.unit_of_work.begin() as transaction:
            await transaction.uses.record([_indexed(piece) for piece in pieces if piece.failure is None])
            await transaction.uses.give_up([piece.document.ref for piece in unreadable])


def _indexed(piece: Workpiece) -> IndexedDocument:
    return IndexedDocument(ref=piece.document.ref, chunks=piece.chunks)
