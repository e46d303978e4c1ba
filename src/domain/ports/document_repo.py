"""The record of documents and of the chunks that were read out of them."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from domain.chunk import Chunk
from domain.chunking import RENDERING_VERSION
from domain.document import Document, DocumentRef, DocumentState, Failure

EVERY_STATE = frozenset(DocumentState)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedDocument:
    """The outcome of indexing one document: its chunks, all of them in the vector index, and how they were made."""

    ref: DocumentRef
    chunks: tuple[Chunk, ...]
    rendering_version: int = RENDERING_VERSION


class DocumentRepo(Protocol):
    """Documents by reference. A reference whose generation moved on, or whose program is deleted, is unknown here."""

    async def add(self, documents: Sequence[Document]) -> None:
        """Record new documents, in one statement."""
        ...

    async def put_further(self, document: Document, *, at_most: int) -> tuple[Document, Document | None]:
        """Record a further document of a live program, and which one gave way to it.

        One of the same name keeps its id and its place, at its next generation. Returns what is recorded now and
        what was before. Raises NotFoundError when the program is gone, TooManyDocumentsError when it has so many
        others already.
        """
        ...

    async def remove_further(self, pgm_id: str, document_id: str) -> Document:
        """Take a further document out of the record, and return what it was.

        Raises NotFoundError, and NotRemovableError for a document that came with its program's files.
        """
        ...

    async def begin_indexing(self, refs: Sequence[DocumentRef]) -> list[Document]:
        """Mark the unfinished among these as indexing and return them in ordinal order.

        References that are unknown or already terminal are left out.
        """
        ...

    async def current(self, refs: Sequence[DocumentRef]) -> frozenset[DocumentRef]:
        """Those of the references that are known here: of a live program, at the document's present generation."""
        ...

    async def mark_indexed(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """Record chunks and mark indexed; return the references that were still current. Repeatable."""
        ...

    async def embedded_texts(
        self, pgm_id: str, logic_ids: Collection[str], *, rendering_version: int
    ) -> Mapping[bytes, str]:
        """The texts that are embedded already for these logics of a program, in any revision of it.

        By their digest, with the id of a chunk that has the text; some index may hold its vector.
        """
        ...

    async def add_rendering(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """Record another rendering's chunks beside those that are there; return the references that are indexed now.

        A rendering that is there already stays as it is.
        """
        ...

    async def of_program(self, pgm_id: str) -> list[Document]:
        """The documents of the revision that answers, then those of the latest, in ordinal order. Raises NotFoundError.

        The program is not deleted before the transaction ends.
        """
        ...

    async def restart(
        self, refs: Sequence[DocumentRef], *, states: AbstractSet[DocumentState] = EVERY_STATE
    ) -> list[DocumentRef]:
        """Have documents indexed anew: raise their generation, mark them pending, return the new references.

        Those that are in none of the states are left out.
        """
        ...

    async def superseded(self, pgm_id: str, revision: int) -> Sequence[DocumentRef]:
        """The documents of a revision that another one has taken the place of; none of any other revision."""
        ...

    async def mark_failed(self, failures: Sequence[tuple[DocumentRef, Failure]]) -> frozenset[DocumentRef]:
        """Record why documents failed; return those that did: unknown and terminal ones are left out."""
        ...

    async def move_to_own_blob(self, ref: DocumentRef, blob_key: str) -> None:
        """Record that a document's bytes now stand under a key of their own."""
        ...
