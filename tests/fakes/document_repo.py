"""DocumentRepo in memory."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from domain.chunk import chunk_id
from domain.document import Document, DocumentRef, DocumentState, Failure
from domain.errors import ConflictError, NotFoundError, NotRemovableError, TooManyDocumentsError
from domain.further.further_document import PROGRAM_ITSELF
from domain.ports.document_repo import EVERY_STATE, DocumentRepo, IndexedDocument
from fakes.registry import InMemoryRegistry, Tables, refuse_unstorable


class InMemoryDocumentRepo(DocumentRepo):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            refuse_unstorable(document)
            if document.document_id in self._tables.documents:
                raise ConflictError("the document is registered already")
            stored = self._tables.programs.get(document.pgm_id)
            if stored is None or document.revision not in stored.parts:
                raise ConflictError("the document's revision is not registered")
            self._tables.documents[document.document_id] = document

    async def put_further(self, document: Document, *, at_most: int) -> tuple[Document, Document | None]:
        if self._tables.live(document.pgm_id) is None:
            raise NotFoundError("program", document.pgm_id)
        refuse_unstorable(document)
        same = (document.pgm_id, document.revision, document.document_name)
        before = next(
            (d for d in self._tables.documents.values() if (d.pgm_id, d.revision, d.document_name) == same), None
        )
        if before is None:
            beside = [each for each in self._tables.documents.values() if (each.pgm_id, each.revision) == same[:2]]
            if len(beside) >= at_most:
                raise TooManyDocumentsError("the program has so many already")
            self._put(document)
            return document, None
        recorded = document.in_place_of(before)
        self._put(recorded)
        return recorded, before

    async def remove_further(self, pgm_id: str, document_id: str) -> Document:
        document = self._tables.documents.get(document_id)
        if self._tables.live(pgm_id) is None or document is None or document.pgm_id != pgm_id:
            raise NotFoundError("document", document_id)
        if document.revision != PROGRAM_ITSELF:
            raise NotRemovableError("the document came with its program's files")
        del self._tables.documents[document_id]
        self._tables.uses.pop(document_id, None)
        for ref, rendering in [each for each in self._tables.chunks if each[0].document_id == document_id]:
            del self._tables.chunks[ref, rendering]
        return document

    async def begin_indexing(self, refs: Sequence[DocumentRef]) -> list[Document]:
        begun = [
            replace(document, state=DocumentState.INDEXING)
            for document in self._current(refs)
            if not document.state.is_terminal
        ]
        self._put(*begun)
        return sorted(begun, key=lambda document: document.ordinal)

    async def current(self, refs: Sequence[DocumentRef]) -> frozenset[DocumentRef]:
        return frozenset(document.ref for document in self._current(refs))

    async def mark_indexed(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        by_ref = {document.ref: document for document in documents}
        current = self._current(list(by_ref))
        for document in current:
            chunks = by_ref[document.ref].chunks
            refuse_unstorable([replace(chunk, dense_text="", lexical_text="") for chunk in chunks])
            rendering = by_ref[document.ref].rendering_version
            for ref, other in list(self._tables.chunks):
                if ref.document_id == document.document_id and (ref != document.ref or other == rendering):
                    del self._tables.chunks[ref, other]
            self._tables.chunks[document.ref, rendering] = chunks
            self._put(
                replace(
                    document,
                    state=DocumentState.INDEXED,
                    chunk_count=len(chunks),
                    failure=None,
                    indexed_dt=self._registry.clock(),
                )
            )
        return frozenset(document.ref for document in current)

    async def embedded_texts(
        self, pgm_id: str, logic_ids: Collection[str], *, rendering_version: int
    ) -> dict[bytes, str]:
        return {
            chunk.dense_digest: chunk_id(ref, chunk.ordinal)
            for (ref, rendering), chunks in self._tables.chunks.items()
            for chunk in chunks
            if rendering == rendering_version
            and (document := self._tables.documents[ref.document_id]).pgm_id == pgm_id
            and document.logic_id in logic_ids
        }

    async def add_rendering(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        by_ref = {document.ref: document for document in documents}
        indexed = [each.ref for each in self._current(list(by_ref)) if each.state is DocumentState.INDEXED]
        for ref in indexed:
            self._tables.chunks.setdefault((ref, by_ref[ref].rendering_version), by_ref[ref].chunks)
        return frozenset(indexed)

    async def of_program(self, pgm_id: str) -> list[Document]:
        if self._tables.live(pgm_id) is None:
            raise NotFoundError("program", pgm_id)
        mine = [
            document
            for document in self._tables.documents.values()
            if document.pgm_id == pgm_id and self._tables.is_live(document)
        ]
        return sorted(mine, key=lambda document: document.ordinal)

    async def restart(
        self, refs: Sequence[DocumentRef], *, states: AbstractSet[DocumentState] = EVERY_STATE
    ) -> list[DocumentRef]:
        restarted = [
            replace(
                each,
                generation=each.generation + 1,
                state=DocumentState.PENDING,
                chunk_count=0,
                indexed_dt=None,
                failure=None,
            )
            for each in self._current(refs)
            if each.state in states
        ]
        self._put(*restarted)
        return sorted((document.ref for document in restarted), key=lambda ref: ref.document_id)

    async def superseded(self, pgm_id: str, revision: int) -> list[DocumentRef]:
        of_revision = (
            each for each in self._tables.documents.values() if (each.pgm_id, each.revision) == (pgm_id, revision)
        )
        refs = (document.ref for document in of_revision if not self._tables.is_live(document))
        return sorted(refs, key=lambda ref: ref.document_id)

    async def mark_failed(self, failures: Sequence[tuple[DocumentRef, Failure]]) -> frozenset[DocumentRef]:
        by_ref = dict(failures)
        unfinished = [document for document in self._current(list(by_ref)) if not document.state.is_terminal]
        self._put(*(replace(each, state=DocumentState.FAILED, failure=by_ref[each.ref]) for each in unfinished))
        return frozenset(document.ref for document in unfinished)

    async def move_to_own_blob(self, ref: DocumentRef, blob_key: str) -> None:
        self._put(*(replace(document, blob_key=blob_key, member=None) for document in self._current([ref])))

    def _current(self, refs: Sequence[DocumentRef]) -> list[Document]:
        found = (self._tables.documents.get(ref.document_id) for ref in set(refs))
        return [
            document
            for document in found
            if document is not None and document.ref in refs and self._tables.is_live(document)
        ]

    def _put(self, *documents: Document) -> None:
        self._tables.documents.update((document.document_id, document) for document in documents)
