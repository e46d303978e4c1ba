"""Compare what the vector index holds with whoever answers for it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from application.held_chunks import held_chunks
from application.slices import in_slices
from domain.document import DocumentRef, DocumentState, Failure
from domain.drift import Drift, DriftKind, sample
from domain.errors import NotFoundError
from domain.ports.catalogue import Catalogue
from domain.ports.ownership import Owner, Ownership
from domain.ports.vector_index import VectorIndex

_KINDS = {
    Owner.NOBODY: DriftKind.VECTORS_UNOWNED,
    Owner.OTHER_GENERATION: DriftKind.VECTORS_STALE,
    Owner.FAILED_DOCUMENT: DriftKind.VECTORS_OF_FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVectors:
    """From the index to the record. What nobody answers for is looked at once more, index first.

    Whoever removes chunks does so before the event that names them is done: chunks that are there still, after
    nobody answered for them, were forgotten.
    """

    index: VectorIndex
    ownership: Ownership
    catalogue: Catalogue

    async def __call__(self) -> AsyncIterator[Drift]:
        """Yield drift in the order of the chunk ids. Raises UnavailableError."""
        async for some in in_slices(self.index.held_documents(), chunks=lambda held: held.chunks):
            pgm_ids = {held.ref: held.pgm_id for held in some}
            if suspected := await self._unanswered(list(pgm_ids)):
                for drift in await self._look_again({ref: pgm_ids[ref] for ref in suspected}):
                    yield drift

    async def _unanswered(self, refs: Sequence[DocumentRef]) -> dict[DocumentRef, DriftKind]:
        owners = await self.ownership.of_vectors(refs)
        return {ref: _KINDS[owner] for ref, owner in owners.items() if owner in _KINDS}

    async def _look_again(self, pgm_ids: dict[DocumentRef, str]) -> list[Drift]:
        held = await held_chunks(self.index, list(pgm_ids))
        return [
            Drift(
                kind=kind,
                pgm_id=pgm_ids[ref],
                document=ref,
                ids=sample(held[ref]),
                count=len(held[ref]),
                failure=await self._failure(ref) if kind is DriftKind.VECTORS_OF_FAILED else None,
            )
            for ref, kind in (await self._unanswered(list(held))).items()
        ]

    async def _failure(self, ref: DocumentRef) -> Failure | None:
        try:
            document = await self.catalogue.document(ref.document_id)
        except NotFoundError:
            return None
        return document.failure if document.ref == ref and document.state is DocumentState.FAILED else None
