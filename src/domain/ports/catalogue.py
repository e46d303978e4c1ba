"""The reads that need no rules: frozen views of what is registered and visible."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from domain.chunking import RENDERING_VERSION
from domain.document import Document
from domain.index_key import IndexKey
from domain.program import IndexingProgress, Program
from domain.search import FoundChunk
from domain.template import Template

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRevision:
    """A newer revision that does not answer yet, and how far its indexing is."""

    revision: int
    progress: IndexingProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramView:
    """A program, how far the indexing of the revision that answers is, and what is to take its place."""

    program: Program
    progress: IndexingProgress
    pending: PendingRevision | None = None

    @property
    def latest(self) -> PendingRevision:
        """The newest revision, whether it answers or not."""
        return self.pending or PendingRevision(revision=self.program.revision, progress=self.progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView:
    """Whether an index may be searched, and how far its building is, counted in documents while it is built."""

    is_complete: bool
    held: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A slice of a listing; `next_cursor` asks for the following one, None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None


class Catalogue(Protocol):
    """Deleted programs and their documents are unknown here. Raises UnavailableError like every port."""

    async def programs(self, *, limit: int, cursor: str | None = None) -> Page[ProgramView]:
        """Programs, newest first. Raises InvalidRequestError for a cursor it did not give out."""
        ...

    async def program(self, pgm_id: str) -> ProgramView:
        """One program. Raises NotFoundError."""
        ...

    async def documents(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, revision: int | None = None
    ) -> Page[Document]:
        """The documents of the revision that answers, or of the latest, in ordinal order. Raises NotFoundError."""
        ...

    async def document(self, document_id: str) -> Document:
        """One document, be its revision to answer only later. Raises NotFoundError."""
        ...

    async def template(self, pgm_id: str) -> Template:
        """The template of the revision that answers. Raises NotFoundError."""
        ...

    async def failures(self, pgm_id: str, *, limit: int) -> Sequence[Document]:
        """The failed documents of a program's latest revision in ordinal order. Raises NotFoundError."""
        ...

    async def visible_chunks(
        self, chunk_ids: Sequence[str], *, rendering_version: int = RENDERING_VERSION
    ) -> dict[str, FoundChunk]:
        """Those of the chunks whose document is indexed at just that generation and not deleted, as so rendered."""
        ...

    async def index(self, key: IndexKey) -> IndexView:
        """How an index stands; one that nobody registered is not complete."""
        ...
