"""Compare what is recorded of documents with itself, and with what the vector index holds for them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from application.held_chunks import held_chunks
from application.slices import in_slices
from domain.chunk import by_document
from domain.document import Document, DocumentRef, DocumentState
from domain.drift import Drift, DriftKind, about
from domain.ports.inventory import Inventory, StockedDocument
from domain.ports.vector_index import VectorIndex

_DOCUMENTS_PER_PAGE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDocuments:
    """From the record to the index. What is found is looked at once more, record first: only what stays is drift.

    A document that was deleted or indexed anew in between is another one by then, or none.
    """

    inventory: Inventory
    index: VectorIndex

    async def __call__(self) -> AsyncIterator[Drift]:
        """Yield drift in the order of the documents. Raises UnavailableError."""
        async for some in in_slices(self._documents(), chunks=lambda stocked: stocked.chunk_rows):
            if suspected := {drift.about for drift in await self._look(some)}:
                ids = sorted({ref.document_id for _, ref in suspected if ref})
                for drift in await self._look(await self.inventory.these(self.index.key, ids)):
                    if drift.about in suspected:
                        yield drift

    async def _documents(self) -> AsyncIterator[StockedDocument]:
        after = ""
        while page := await self.inventory.documents(self.index.key, after=after, limit=_DOCUMENTS_PER_PAGE):
            for stocked in page:
                yield stocked
            after = page[-1].document.document_id

    async def _look(self, stocked: Sequence[StockedDocument]) -> list[Drift]:
        recorded = [drift for each in stocked for drift in _of_record(each)]
        held = [each for each in stocked if each.is_held and each.document.state is DocumentState.INDEXED]
        return recorded + (await self._of_vectors(held) if held else [])

    async def _of_vectors(self, stocked: Sequence[StockedDocument]) -> list[Drift]:
        refs = [each.document.ref for each in stocked]
        recorded = by_document(await self.inventory.chunk_ids(self.index.key, refs), refs)
        held = await held_chunks(self.index, refs)
        return [
            drift
            for each in stocked
            for drift in _of_chunks(each.document, recorded.get(each.document.ref, set()), held)
        ]


def _of_chunks(document: Document, recorded: set[str], held: Mapping[DocumentRef, set[str]]) -> Iterator[Drift]:
    found = held.get(document.ref, set())
    if missing := recorded - found:
        yield about(DriftKind.VECTORS_MISSING, document, missing)
    if surplus := found - recorded:
        yield about(DriftKind.VECTORS_SURPLUS, document, surplus)


def _of_record(stocked: StockedDocument) -> list[Drift]:
    document = stocked.document
    if not document.state.is_terminal:
        return [] if stocked.is_moving else [about(DriftKind.DOCUMENT_STUCK, document)]
    if document.state is not DocumentState.INDEXED:
        return []
    found = []
    if stocked.is_due:
        found.append(about(DriftKind.INDEX_UNRECORDED, document))
    # Of an index that does not hold it, and need not yet, the rendering may not be there.
    elif stocked.is_held and stocked.chunk_rows != document.chunk_count:
        found.append(about(DriftKind.CHUNKS_MISCOUNTED, document))
    # Of one without uses a worker takes care by itself.
    if stocked.use_count not in {None, stocked.use_rows}:
        found.append(about(DriftKind.USES_MISCOUNTED, document))
    return found
