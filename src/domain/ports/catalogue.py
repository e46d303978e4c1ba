"""The reads that need no rules: frozen views of what is registered and visible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from domain.chunking import RENDERING_VERSION
from domain.document import Document, DocumentState
from domain.index_key import IndexKey
from domain.program import IndexingProgress, Program, ProgramStatus
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


class ProgramSort(StrEnum):
    """The order of programs. Newest is the highest number; of equal names the older program comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFilter:
    """Which programs are listed: those that all of this holds for. None asks nothing.

    `name` is a part of the name, whatever its case and width. `folder` is the id or the name of a folder in the
    template of the revision that answers, `status` is of that revision, too. `created_to` is itself left out.
    """

    pgm_id: str | None = None
    name: str | None = None
    status: ProgramStatus | None = None
    create_user: str | None = None
    folder: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


EVERY_PROGRAM = ProgramFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTotals:
    """How many documents there are of a kind, what they were cut into, and how large they are together."""

    documents: int = 0
    chunks: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OldestWaiting:
    """The document that waits longest to be indexed, and since when."""

    pgm_id: str
    document_id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What there is at one moment, by the database's clock.

    Programs by the status of the revision that answers; documents of that and of a revision that waits to answer.
    """

    as_of: datetime
    programs: Mapping[ProgramStatus, int]
    documents: Mapping[DocumentState, DocumentTotals]
    oldest: OldestWaiting | None


class Catalogue(Protocol):
    """Deleted programs and their documents are unknown here. Raises UnavailableError like every port."""

    async def programs(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        only: ProgramFilter = EVERY_PROGRAM,
        sort: ProgramSort = ProgramSort.NEWEST,
    ) -> Page[ProgramView]:
        """Programs in that order. Raises InvalidRequestError for a cursor it did not give out for just this."""
        ...

    async def count_programs(self, only: ProgramFilter = EVERY_PROGRAM) -> int:
        """How many programs a listing has on all its pages together."""
        ...

    async def statistics(self) -> Statistics:
        """How much of everything there is. A status and a state that nothing has may be left out."""
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
