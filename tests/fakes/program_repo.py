"""ProgramRepo in memory."""

from collections.abc import Sequence
from dataclasses import replace

from domain.comments import DeviceComments
from domain.document import DocumentState
from domain.errors import ConflictError, NotFoundError
from domain.further.further_document import PROGRAM_ITSELF
from domain.ports.program_repo import ProgramRepo
from domain.program import DetailChanges, LatestRevision, Program, Registration
from domain.registration import UPLOADED_TYPES
from domain.template import Template
from fakes.registry import InMemoryRegistry, StoredProgram, Tables, refuse_unstorable

_NO_TEMPLATE = Template(logics=())
_DONE = {DocumentState.INDEXED, DocumentState.SKIPPED}


class InMemoryProgramRepo(ProgramRepo):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def next_pgm_id(self, *, skip: int = 0) -> str:
        *_, number = (next(self._registry.pgm_numbers) for _ in range(skip + 1))
        return f"PGM_{number}"

    async def add(self, registration: Registration) -> None:
        parts = _parts_of(registration)
        program = registration.program
        if program.pgm_id in self._tables.programs:
            raise ConflictError("the program is registered already")
        self._tables.programs[program.pgm_id] = StoredProgram(
            program=program,
            parts={program.revision: parts},
            latest_revision=program.revision,
            drawn_revision=program.revision,
        )

    async def latest(self, pgm_id: str) -> LatestRevision:
        stored = self._live(pgm_id)
        sha256 = {
            document.document_type: document.sha256
            for document in self._tables.documents.values()
            if (document.pgm_id, document.revision) == (pgm_id, stored.latest_revision)
            and document.document_type in UPLOADED_TYPES
        }
        return LatestRevision(program=stored.program, revision=stored.latest_revision, sha256=sha256)

    async def draw_revision(self, pgm_id: str, *, skip: int = 0) -> int:
        stored = self._live(pgm_id)
        number = stored.drawn_revision + 1 + skip
        self._tables.programs[pgm_id] = replace(stored, drawn_revision=number)
        return number

    async def draw_document(self, pgm_id: str, *, skip: int = 0) -> int:
        stored = self._live(pgm_id)
        number = stored.drawn_document + 1 + skip
        self._tables.programs[pgm_id] = replace(stored, drawn_document=number)
        return number

    async def add_revision(self, registration: Registration) -> Sequence[int]:
        parts = _parts_of(registration)
        pgm_id, revision = registration.program.pgm_id, registration.program.revision
        stored = self._live(pgm_id)
        if revision in stored.parts:
            raise ConflictError("the revision is registered already")
        added = replace(stored, parts={**stored.parts, revision: parts})
        self._tables.programs[pgm_id] = replace(added, latest_revision=max(revision, stored.latest_revision))
        if revision < stored.latest_revision:
            return [revision]
        return [stored.latest_revision] if stored.latest_revision > stored.program.revision else []

    async def hold_pending(self, pgm_id: str) -> None:
        """Transactions of the fake come one after the other."""

    async def promote(self, pgm_id: str) -> int | None:
        stored = self._tables.live(pgm_id)
        if stored is None or stored.latest_revision == stored.program.revision:
            return None
        of_latest = [
            document
            for document in self._tables.documents.values()
            if (document.pgm_id, document.revision) == (pgm_id, stored.latest_revision)
        ]
        if any(document.state not in _DONE for document in of_latest):
            return None
        promoted = replace(stored.program, revision=stored.latest_revision, update_dt=self._registry.clock())
        self._tables.programs[pgm_id] = replace(stored, program=promoted)
        return stored.program.revision

    async def amend(self, pgm_id: str, changes: DetailChanges, *, seen: Program | None = None) -> Program:
        refuse_unstorable(changes)
        stored = self._live(pgm_id)
        if seen not in {None, stored.program}:
            raise ConflictError("the program is not as it was seen")
        details = replace(stored.program.details, **changes.named())
        amended = replace(stored.program, details=details, update_dt=self._registry.clock())
        self._tables.programs[pgm_id] = replace(stored, program=amended)
        return amended

    async def template_of(self, pgm_id: str, revision: int) -> Template:
        return self._live_parts(pgm_id, revision).template

    async def comments_of(self, pgm_id: str, revision: int) -> DeviceComments:
        return self._live_parts(pgm_id, revision).comments

    async def delete(self, pgm_id: str) -> None:
        self._tables.programs[pgm_id] = replace(self._live(pgm_id), is_deleted=True)
        for document in self._tables.documents.copy().values():
            if document.pgm_id == pgm_id:
                self._tables.documents[document.document_id] = replace(document, generation=document.generation + 1)

    async def is_gone(self, pgm_id: str, revision: int) -> bool:
        program = self._tables.programs.get(pgm_id)
        if program is None or program.is_live(revision):
            return False
        return program.is_deleted or program.latest_revision > revision

    async def purge(self, pgm_id: str) -> None:
        stored = self._tables.programs.get(pgm_id)
        if stored is None or not stored.is_deleted:
            return
        for revision in (PROGRAM_ITSELF, *stored.parts):
            self._purge_documents(pgm_id, revision)
        self._tables.programs[pgm_id] = replace(stored, parts={})

    async def purge_revision(self, pgm_id: str, revision: int) -> None:
        stored = self._tables.programs.get(pgm_id)
        if stored is None or stored.is_live(revision):
            return
        self._purge_documents(pgm_id, revision)
        kept = {number: parts for number, parts in stored.parts.items() if number != revision}
        self._tables.programs[pgm_id] = replace(stored, parts=kept)

    def _purge_documents(self, pgm_id: str, revision: int) -> None:
        documents = self._tables.documents
        purged = {each.document_id for each in documents.values() if (each.pgm_id, each.revision) == (pgm_id, revision)}
        for document_id in purged:
            del documents[document_id]
        for ref, rendering in [each for each in self._tables.chunks if each[0].document_id in purged]:
            del self._tables.chunks[ref, rendering]
        for document_id in purged & self._tables.uses.keys():
            del self._tables.uses[document_id]
        for failure_id in [each for each, failed in self._tables.failures.items() if failed.attempt.pgm_id == pgm_id]:
            del self._tables.failures[failure_id]

    def _live(self, pgm_id: str) -> StoredProgram:
        stored = self._tables.live(pgm_id)
        if stored is None:
            raise NotFoundError("program", pgm_id)
        return stored

    def _live_parts(self, pgm_id: str, revision: int) -> Registration:
        stored = self._live(pgm_id)
        if revision == PROGRAM_ITSELF:
            return Registration(program=stored.program, documents=(), template=_NO_TEMPLATE, comments=DeviceComments())
        if not stored.is_live(revision) or revision not in stored.parts:
            raise NotFoundError("program", pgm_id)
        return stored.parts[revision]


def _parts_of(registration: Registration) -> Registration:
    parts = replace(registration, documents=())
    refuse_unstorable(parts)
    return parts
