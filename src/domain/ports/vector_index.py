"""Where chunks are found by meaning and by token."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.document import DocumentRef, DocumentType
from domain.index_key import IndexKey
from domain.search import Candidate, Lane, SearchScope
from domain.vectors import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """What the index keeps of one chunk. The chunk itself stays in Postgres."""

    chunk_id: str
    pgm_id: str
    document: DocumentRef
    document_type: DocumentType
    folder_id: str
    logic_id: str
    lexical_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDocument:
    """Chunks that the index holds for a document at one generation. Who wrote them may be gone long since."""

    ref: DocumentRef
    pgm_id: str
    chunks: int


class VectorIndex(Protocol):
    """A derived index: it can be lost and rebuilt. Every call may be repeated.

    Indexes of several keys stand side by side behind one name while the next one is built; each object of
    this class writes and searches its own.

    Every method raises UnavailableError when the index gives no answer in time (the outcome of a write is
    then unknown) and MisconfiguredError when the index is not of the shape that the embedder needs.
    """

    @property
    def key(self) -> IndexKey:
        """Which vectors this index holds, the same for the life of the object."""
        ...

    async def lanes(self) -> frozenset[Lane]:
        """The lanes that can be searched. Searching one that is missing raises MisconfiguredError."""
        ...

    async def prepare(self) -> None:
        """Make the index ready for every other call: create it where it is missing, load it, check its shape."""
        ...

    async def publish(self) -> None:
        """Let the name that all indexes stand behind mean this one, for whoever reads the store directly."""
        ...

    async def count(self) -> int | None:
        """How many chunks are held, read after every write acknowledged so far; None where there is no such index."""
        ...

    async def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, bytes]:
        """The vectors that are held under these ids, each as the bytes of one row of Vectors, as they were written.

        Read after every write acknowledged so far; an id that is not held is left out.
        """
        ...

    async def upsert(self, entries: Sequence[IndexEntry], vectors: Vectors) -> None:
        """Write one row per entry under its chunk id; vectors in the order of the entries."""
        ...

    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        """The chunks nearest to one vector by cosine, best first."""
        ...

    async def lexical(self, tokens: Sequence[str], scope: SearchScope, *, limit: int) -> list[Candidate]:
        """The chunks that hold any of the tokens, best first by BM25."""
        ...

    async def chunk_ids(self, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """All ids held for these documents at just these generations, read after every write acknowledged so far."""
        ...

    def held_documents(self) -> AsyncIterator[HeldDocument]:
        """Everything that is held here, read page by page: a document may come in several parts, one after the other.

        It is no snapshot. What is written or removed meanwhile may be met or not, everything else is.
        """
        ...

    async def remove_documents(self, documents: Sequence[DocumentRef], *, everywhere: bool = True) -> None:
        """Remove what is held for these documents at exactly these generations, here and in every other index.

        Not `everywhere`: in this one alone, where the documents themselves stay.
        """
        ...

    async def remove_former(self, documents: Sequence[DocumentRef]) -> None:
        """Remove what is held for these documents at generations before these, here and in every other index."""
        ...

    async def remove_program(self, pgm_id: str) -> None:
        """Remove everything held for a program, here and in every other index behind the same name."""
        ...

    async def drop_others(self) -> int:
        """Remove every other index behind the same name; how many. Whoever still searches one is unavailable then."""
        ...
