"""Catalogue in memory, over what the in-memory unit of work committed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from domain.chunk import chunk_id
from domain.chunking import RENDERING_VERSION
from domain.document import Document, DocumentState
from domain.errors import InvalidRequestError, NotFoundError
from domain.further.further_document import PROGRAM_ITSELF
from domain.index_key import IndexKey
from domain.ports.catalogue import Catalogue, IndexView, Page, PendingRevision, ProgramView
from domain.program import IndexingProgress
from domain.search import FoundChunk
from domain.template import Template
from domain.told import told
from fakes.registry import InMemoryRegistry, StoredProgram, Tables


class InMemoryCatalogue(Catalogue):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry
        self._cursors: dict[str, tuple[str, int]] = {}

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def programs(self, *, limit: int, cursor: str | None = None) -> Page[ProgramView]:
        numbered = {
            -int(pgm_id.removeprefix("PGM_")): pgm_id for pgm_id in self._tables.programs if self._tables.live(pgm_id)
        }
        keys, next_cursor = self._page(numbered, "programs", limit, cursor)
        return Page(items=tuple([await self.program(numbered[key]) for key in keys]), next_cursor=next_cursor)

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

    def _page(self, keys: Iterable[int], listing: str, limit: int, cursor: str | None) -> tuple[list[int], str | None]:
        """The keys of one page in ascending order, and the cursor of the next: a name that was given out here."""
        after = None
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
