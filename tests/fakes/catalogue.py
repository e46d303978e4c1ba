"""Catalogue in memory, over what the in-memory unit of work committed."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from domain.chunk import chunk_id
from domain.chunking import RENDERING_VERSION
from domain.document import Document, DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.further.further_document import PROGRAM_ITSELF
from domain.index_key import IndexKey
from domain.ports.catalogue import (
    EVERY_PROGRAM,
    Catalogue,
    DocumentTotals,
    IndexView,
    OldestWaiting,
    Page,
    PendingRevision,
    ProgramFilter,
    ProgramSort,
    ProgramView,
    Statistics,
)
from domain.program import IndexingProgress, Program
from domain.search import FoundChunk
from domain.template import Template
from domain.told import told
from fakes.registry import InMemoryRegistry, StoredProgram, Tables

K = TypeVar("K", int, tuple[str, int])


class InMemoryCatalogue(Catalogue):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry
        self._cursors: dict[str, tuple[str, Any]] = {}

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def programs(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        only: ProgramFilter = EVERY_PROGRAM,
        sort: ProgramSort = ProgramSort.NEWEST,
    ) -> Page[ProgramView]:
        wanted = {_key_of(view.program, sort): view for view in await self._wanted(only)}
        keys, next_cursor = self._page(wanted, f"programs {only} {sort}", limit, cursor)
        return Page(items=tuple(wanted[key] for key in keys), next_cursor=next_cursor)

    async def count_programs(self, only: ProgramFilter = EVERY_PROGRAM) -> int:
        return len(await self._wanted(only))

    async def statistics(self) -> Statistics:
        live = [document for document in self._tables.documents.values() if self._tables.is_live(document)]
        waiting = [document for document in live if not document.state.is_terminal]
        oldest = min(waiting, key=lambda document: (document.create_dt, document.document_id), default=None)
        return Statistics(
            as_of=self._registry.clock(),
            programs=Counter(view.progress.status for view in await self._wanted(EVERY_PROGRAM)),
            documents={state: _totals(live, state) for state in DocumentState},
            oldest=OldestWaiting(pgm_id=oldest.pgm_id, document_id=oldest.document_id, since=oldest.create_dt)
            if oldest
            else None,
        )

    async def _wanted(self, only: ProgramFilter) -> list[ProgramView]:
        views = [await self.program(pgm_id) for pgm_id in self._tables.programs if self._tables.live(pgm_id)]
        return [view for view in views if self._is_wanted(view, only)]

    def _is_wanted(self, view: ProgramView, only: ProgramFilter) -> bool:
        program, details = view.program, view.program.details
        template = self._live(program.pgm_id).parts[program.revision].template
        return (
            only.pgm_id in {None, program.pgm_id}
            and (only.name is None or _folded(only.name) in _folded(details.pgm_name))
            and only.status in {None, view.progress.status}
            and only.create_user in {None, details.create_user}
            and (
                only.folder is None
                or any(only.folder in {logic.folder_id, logic.folder_name} for logic in template.logics)
            )
            and (only.created_from is None or only.created_from <= program.create_dt)
            and (only.created_to is None or program.create_dt < only.created_to)
        )

    async def program(self, pgm_id: str) -> ProgramView:
        stored = self._live(pgm_id)
        program, latest = stored.program, stored.latest_revision
        pending = PendingRevision(revision=latest, progress=self._progress(pgm_id, latest))
        return ProgramView(
            program=program,
            progress=self._progress(pgm_id, program.revision),
            pending=pending if latest > program.revision else None,
        )

    async def documents(
        self, pgm_id: str, *, limit: int, cursor: str | None = None, revision: int | None = None
    ) -> Page[Document]:
        stored = self._live(pgm_id)
        wanted = stored.program.revision if revision is None else revision
        if not stored.is_live(wanted):
            raise NotFoundError("program", pgm_id)
        by_ordinal = {document.ordinal: document for document in self._documents_of(pgm_id, wanted)}
        keys, next_cursor = self._page(by_ordinal, f"{pgm_id} {wanted}", limit, cursor)
        return Page(items=tuple(by_ordinal[key] for key in keys), next_cursor=next_cursor)

    async def document(self, document_id: str) -> Document:
        document = self._tables.documents.get(document_id)
        if document is None or not self._tables.is_live(document):
            raise NotFoundError("document", document_id)
        return document

    async def template(self, pgm_id: str) -> Template:
        stored = self._live(pgm_id)
        return stored.parts[stored.program.revision].template

    async def failures(self, pgm_id: str, *, limit: int) -> Sequence[Document]:
        latest = self._documents_of(pgm_id, self._live(pgm_id).latest_revision)
        return [each for each in latest if each.state is DocumentState.FAILED][:limit]

    async def index(self, key: IndexKey) -> IndexView:
        stored = self._tables.indexes.get(key)
        if stored is not None and stored.is_complete:
            return IndexView(is_complete=True)
        indexed = self._tables.indexed()
        held = sum(self._tables.holds(key, document) for document in indexed)
        return IndexView(is_complete=False, held=held, total=len(indexed))

    async def visible_chunks(
        self, chunk_ids: Sequence[str], *, rendering_version: int = RENDERING_VERSION
    ) -> dict[str, FoundChunk]:
        visible = {
            chunk_id(ref, chunk.ordinal): FoundChunk(
                chunk_id=chunk_id(ref, chunk.ordinal),
                pgm_id=document.pgm_id,
                document_id=document.document_id,
                document_name=document.document_name,
                document_type=document.document_type,
                place=chunk.place,
                first_step=chunk.first_step,
                last_step=chunk.last_step,
                title=chunk.title,
                ladder=chunk.ladder,
                devices=chunk.devices,
            )
            for (ref, rendering), chunks in self._tables.chunks.items()
            for chunk in chunks
            if rendering == rendering_version
            and (document := self._tables.documents[ref.document_id]).ref == ref
            and document.state is DocumentState.INDEXED
            and self._tables.is_visible(document)
        }
        return {wanted: visible[wanted] for wanted in chunk_ids if wanted in visible}

    def _live(self, pgm_id: str) -> StoredProgram:
        stored = self._tables.live(pgm_id)
        if stored is None:
            raise NotFoundError("program", pgm_id)
        return stored

    def _progress(self, pgm_id: str, revision: int) -> IndexingProgress:
        return IndexingProgress(counts=dict(Counter(each.state for each in self._documents_of(pgm_id, revision))))

    def _documents_of(self, pgm_id: str, revision: int) -> list[Document]:
        mine = (
            each
            for each in self._tables.documents.values()
            if each.pgm_id == pgm_id and each.revision in {PROGRAM_ITSELF, revision}
        )
        return sorted(mine, key=lambda document: document.ordinal)

    def _page(self, keys: Iterable[K], listing: str, limit: int, cursor: str | None) -> tuple[list[K], str | None]:
        """The keys of one page in ascending order, and the cursor of the next: a name that was given out here."""
        after: K | None = None
        if cursor is not None:
            given_for, after = self._cursors.get(cursor, ("", 0))
            if given_for != listing:
                raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
        rest = sorted(key for key in keys if after is None or key > after)
        if len(rest) <= limit:
            return rest, None
        next_cursor = f"cursor-{len(self._cursors)}"
        self._cursors[next_cursor] = (listing, rest[limit - 1])
        return rest[:limit], next_cursor


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).lower()


def _key_of(program: Program, sort: ProgramSort) -> tuple[str, int]:
    number = int(program.pgm_id.removeprefix("PGM_"))
    name = _folded(program.details.pgm_name) if sort is ProgramSort.NAME else ""
    return name, -number if sort is ProgramSort.NEWEST else number


def _totals(documents: Iterable[Document], state: DocumentState) -> DocumentTotals:
    mine = [document for document in documents if document.state is state]
    return DocumentTotals(
        documents=len(mine),
        chunks=sum(document.chunk_count for document in mine),
        size_bytes=sum(document.size_bytes for document in mine),
    )
