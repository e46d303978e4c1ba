"""ProgramRepo in memory."""

from dataclasses import replace

from domain.comments import DeviceComments
from domain.errors import ConflictError, NotFoundError
from domain.ports.program_repo import ProgramRepo
from domain.program import Registration
from domain.template import Template
from fakes.registry import InMemoryRegistry, StoredProgram, Tables, refuse_unstorable


class InMemoryProgramRepo(ProgramRepo):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def next_pgm_id(self) -> str:
        return f"PGM_{next(self._registry.pgm_numbers)}"

    async def add(self, registration: Registration) -> None:
        recorded = replace(registration, documents=())
        refuse_unstorable(recorded)
        pgm_id = registration.program.pgm_id
        if pgm_id in self._tables.programs:
            raise ConflictError("the program is registered already")
        self._tables.programs[pgm_id] = StoredProgram(pgm_id=pgm_id, registration=recorded)

    async def template_of(self, pgm_id: str) -> Template:
        return self._live(pgm_id).template

    async def comments_of(self, pgm_id: str) -> DeviceComments:
        return self._live(pgm_id).comments

    async def delete(self, pgm_id: str) -> None:
        self._live(pgm_id)
        self._tables.programs[pgm_id] = replace(self._tables.programs[pgm_id], is_deleted=True)
        for document in self._tables.documents.copy().values():
            if document.pgm_id == pgm_id:
                self._tables.documents[document.document_id] = replace(document, generation=document.generation + 1)

    async def is_deleted(self, pgm_id: str) -> bool:
        program = self._tables.programs.get(pgm_id)
        return program is not None and program.is_deleted

    async def purge(self, pgm_id: str) -> None:
        program = self._tables.programs.get(pgm_id)
        if program is None or not program.is_deleted:
            return
        self._tables.programs[pgm_id] = replace(program, registration=None)
        purged = {each.document_id for each in self._tables.documents.values() if each.pgm_id == pgm_id}
        for document_id in purged:
            del self._tables.documents[document_id]
        for ref, rendering in [each for each in self._tables.chunks if each[0].document_id in purged]:
            del self._tables.chunks[ref, rendering]

    def _live(self, pgm_id: str) -> Registration:
        registration = self._tables.live(pgm_id)
        if registration is None:
            raise NotFoundError("program", pgm_id)
        return registration
