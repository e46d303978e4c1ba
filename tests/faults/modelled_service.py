"""The in-memory service and a model of it side by side: what is asked of the one is remembered by the other."""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from dependency_injector import providers
from hypothesis import note

from application.add_document import AddDocumentCommand, AddedDocument
from application.keep_index import Standing
from application.register_program import RegisterCommand, Registered
from application.replace_files import Deduplicated, ReplaceCommand
from application.retry_documents import Include, RetryCommand
from application.search_rungs import SearchQuery
from builders.drift import audited, repair
from builders.service import DETAILS, Service, a_service
from builders.uploads import an_upload
from domain.document import DocumentRef
from domain.drift import DriftKind
from domain.errors import ConflictError, NotFoundError, UnavailableError
from domain.events import ClaimedEvent, RetryPolicy
from domain.further.further_document import PROGRAM_ITSELF, DocumentDetails
from domain.ports.upload_reader import UploadReader
from domain.registration import revision_of
from domain.search import SearchScope
from domain.upload import InspectedUpload, SpooledFile, Upload
from faults.interference import (
    BugError,
    Crash,
    Kind,
    Passages,
    PassagesOfTransactions,
    Script,
    Strike,
    in_order,
    played,
)
from faults.model import LADDERS, NOTES, Files, KnownProgram, Model, Sent

T = TypeVar("T")

ATTEMPTS = 3  # few, so that what is given up for good is come upon too
ALL_LEASES = timedelta(minutes=10)
_LONGER_THAN_UPLOADS = timedelta(hours=3)
_ROUNDS = 60
_EVERYTHING = "X0 X1 M10 Y0 컨베이어 도어 펌프 restart"
_UNKNOWN = (Crash, BugError, UnavailableError, asyncio.CancelledError)
"""How work ends whose outcome only the record knows."""


class Loss(StrEnum):
    """What is gone behind everybody's back."""

    QUEUE = "queue"
    SOME_ROWS = "some rows"
    ALL_ROWS = "all rows"
    INDEX = "index"


@dataclass(kw_only=True)
class ModelledService:
    """What clients, workers and operators do, each under a script of strikes; `check` judges what came of it."""

    folder: Path
    service: Service
    reader: "InspectedBefore"
    model: Model = field(default_factory=Model)
    rows_were_lost: bool = False
    builders: Iterator[int] = field(default_factory=count)

    async def upload(self, files: Files, strikes: list[Strike]) -> str | None:
        """The new program, if there is one."""
        upload, sent = self._sent(files)
        command = RegisterCommand(details=DETAILS, upload=upload)
        known = set(self.service.registry.committed.programs)
        answer = await self._play(self.service.container.register_program()(command), strikes, "")
        pgm_id = next(iter(self.service.registry.committed.programs.keys() - known - self.model.programs.keys()), None)
        assert pgm_id or answer is None, "a program was accepted and not recorded"
        if pgm_id:
            self.model.programs[pgm_id] = KnownProgram(revisions={1: sent})
        return pgm_id

    async def replace(self, pgm_id: str, files: Files | None, strikes: list[Strike]) -> None:
        """A new revision, unless the program is deleted or has just these files; None stands for them."""
        program = self.model.programs[pgm_id]
        files = files or program.revisions[program.latest].files
        upload, sent = self._sent(files)
        command = ReplaceCommand(pgm_id=pgm_id, create_user="lee", upload=upload)
        answer = await self._play(self.service.container.replace_files()(command), strikes, pgm_id)
        if isinstance(answer, Deduplicated):
            assert program.revisions[answer.revision].files == files
        elif isinstance(answer, Registered):
            program.revisions[answer.registration.program.revision] = sent
        elif stored := self.service.registry.committed.programs.get(pgm_id):
            program.revisions |= dict.fromkeys(stored.parts.keys() - program.revisions.keys(), sent)

    async def delete(self, pgm_id: str, strikes: list[Strike]) -> None:
        """Whoever asks twice is told that there is none."""
        program = self.model.programs[pgm_id]
        was_deleted = program.is_deleted
        answer = await self._play(self._told(self.service.container.delete_program()(pgm_id)), strikes, pgm_id)
        assert answer is None or not was_deleted, f"{pgm_id} was deleted twice"
        program.is_deleted = program.is_deleted or self.service.registry.committed.live(pgm_id) is None

    async def add_document(self, pgm_id: str, name: str, content: str, strikes: list[Strike]) -> None:
        """One of the same name gives way."""
        path = Path(tempfile.mkdtemp(dir=self.folder)) / name
        path.write_text(NOTES[content])
        file = SpooledFile(name=name, path=path, size_bytes=path.stat().st_size)
        command = AddDocumentCommand(pgm_id=pgm_id, details=DocumentDetails(), file=file)
        answer = await self._play(self.service.container.add_document()(command), strikes, pgm_id)
        notes = self.model.programs[pgm_id].notes
        if isinstance(answer, AddedDocument):
            notes[answer.document.document_id] = content
        else:
            size = path.stat().st_size  # tells the one content from the other
            notes |= {each: content for each, held in self._notes(pgm_id).items() if held == (name, size)}

    async def remove_document(self, pgm_id: str, document_id: str, strikes: list[Strike]) -> None:
        """Out of every answer from then on."""
        work = self._told(self.service.container.remove_document()(pgm_id, document_id))
        await self._play(work, strikes, pgm_id)
        if document_id not in self._notes(pgm_id):
            self.model.programs[pgm_id].notes.pop(document_id, None)
            self.model.gone.add(document_id)

    async def retry(self, pgm_id: str, include: Include, strikes: list[Strike]) -> None:
        """All of it, or what failed."""
        command = RetryCommand(pgm_id=pgm_id, include=include)
        await self._play(self.service.container.retry_documents()(command), strikes, pgm_id)

    async def reindex_one(self, pgm_id: str, nth: int) -> None:
        """One document alone, at a new generation."""
        documents = sorted(
            each for each, row in self.service.registry.committed.documents.items() if row.pgm_id == pgm_id
        )
        if documents:
            chosen = (documents[nth % len(documents)],)
            command = RetryCommand(pgm_id=pgm_id, include=Include.ALL, document_ids=chosen)
            await self._play(self.service.container.retry_documents()(command), [], pgm_id)

    async def find_work(self) -> None:
        """One pass of the relay; where nothing waits then, another after the newest program is indexed anew."""
        await self.service.relay()
        if not self.service.dispatcher.waiting and self.model.live:
            await self.retry(max(self.model.live), Include.ALL, [])
            await self.service.relay()

    async def handle(self, claimed: ClaimedEvent, strikes: list[Strike]) -> None:
        """What one worker does with one job."""
        stored = self.service.registry.committed.events.get(claimed.event_id)
        pgm_id = stored.event.pgm_id if stored and stored.event else ""
        await self._play(self.service.container.handle_event()(claimed), strikes, pgm_id, others_work=True)

    async def work(self) -> None:
        """Everything that is due, once."""
        await self.service.relay()
        waiting = list(self.service.dispatcher.waiting.values())
        self.service.dispatcher.lose_everything()
        for claimed in waiting:
            await self.handle(claimed, [])

    async def keep_index(self, strikes: list[Strike]) -> Standing:
        """A worker's look at the index, which it builds where it was lost."""
        newest = max(self.model.live, default="")

        async def look() -> Standing:
            standing: Standing = await self.service.container.keep_index()(is_open=False)
            if standing is Standing.INCOMPLETE:
                builder = str(UUID(int=next(self.builders)))
                async for _ in self.service.container.rebuild_index()(builder):
                    pass
                return Standing.READY
            return standing

        answer = await self._play(look(), strikes, newest, others_work=True)
        return answer or Standing.INCOMPLETE

    def lose(self, loss: Loss) -> None:
        """What is written before a worker looks for the index hides its loss from everybody but an audit."""
        if loss is Loss.QUEUE:
            self.service.dispatcher.lose_everything()
            return
        self.rows_were_lost = True
        if loss is Loss.INDEX:
            self.service.index.server.indexes.clear()
        entries = self.service.index.entries
        for name in sorted(entries)[:: 3 if loss is Loss.SOME_ROWS else 1]:
            del entries[name]

    async def search(self) -> None:
        """An outage may be told; what is deleted, removed or replaced may not be found."""
        with suppress(UnavailableError):
            query = SearchQuery(text=_EVERYTHING, limit=50)
            answer = await self.service.container.search_rungs()(query)
            found = {(hit.chunk.pgm_id, hit.chunk.document_id) for hit in answer.hits}
            deleted = self.model.programs.keys() - self.model.live.keys()
            assert not (dead := {each for each in found if each[0] in deleted}), f"deleted, and found: {sorted(dead)}"
            assert not (gone := {each for each in found if each[1] in self.model.gone}), f"removed, and found: {gone}"
            for pgm_id in {pgm_id for pgm_id, _ in found}:
                revisions = {_revision_of(each) for of, each in found if of == pgm_id} - {PROGRAM_ITSELF}
                assert len(revisions) <= 1, f"found of {pgm_id} at once: revisions {sorted(revisions)}"

    async def become_quiet(self) -> None:
        """Let all that is due happen, mend what no worker can, and judge what stands where, before that and after."""
        await self.service.registry.clock.advance(ALL_LEASES)
        await self._finish()
        await self._mend_what_was_lost()
        await self._judge(all_indexed=False)
        await self._retry_what_failed()
        await self.service.registry.clock.advance(_LONGER_THAN_UPLOADS)
        await self._finish()
        await self.service.container.sweep_uploads()()
        await self._judge(all_indexed=True)
        assert not (drift := await audited(self.service, deep=True)), f"an audit finds {drift}"
        await self._all_is_found()

    async def _finish(self) -> None:
        for _ in range(_ROUNDS):
            standing = await self.keep_index([])
            await self.work()
            if standing is Standing.READY and not self._pending():
                return
            await self.service.registry.clock.advance(timedelta(seconds=61))
        raise AssertionError(f"never quiet: {standing}, {self._pending()}")

    def _pending(self) -> list[object]:
        return [each.event for each in self.service.registry.committed.events.values() if each.is_pending]

    async def _mend_what_was_lost(self) -> None:
        """Only an audit misses rows that the index lost. It may mend nothing else here: that would hide much."""
        if self.rows_were_lost:
            missing = [each for each in await audited(self.service) if each.kind is DriftKind.VECTORS_MISSING]
            await repair(self.service, missing)
            await self._finish()
            self.rows_were_lost = False

    async def _retry_what_failed(self) -> None:
        for retried in (self.service.container.retry_failed(), self.service.container.revive_dead()):
            cursor: str | None = None
            while cursor := (await retried(cursor)).next_cursor:
                pass

    async def _judge(self, *, all_indexed: bool) -> None:
        tables = self.service.registry.committed
        held = {each: entry.lexical_text for each, entry in self.service.index.entries.items()}
        wrong = [
            *self.model.misrecorded(tables, all_indexed=all_indexed),
            *self.model.misindexed(tables, held),
            *(self.model.misstored(tables, sorted(self.service.blobs._blobs)) if all_indexed else ()),
        ]
        assert not wrong, "\n".join(wrong)

    async def _all_is_found(self) -> None:
        for pgm_id in self.model.live:
            query = SearchQuery(text=_EVERYTHING, scope=SearchScope(pgm_id=pgm_id))
            answer = await self.service.container.search_rungs()(query)
            assert answer.hits, f"nothing is found of {pgm_id}"

    async def _play(
        self, work: Coroutine[Any, Any, T], strikes: list[Strike], pgm_id: str, *, others_work: bool = False
    ) -> T | None:
        """What was answered; None where nobody knows, or what it is about is gone.

        Whatever others ask beside a worker, other workers carry out at once: so it is overtaken most.
        """
        answers: list[T] = []

        async def answered() -> None:
            answers.append(await work)

        async def others(kind: Kind) -> None:
            await self._others(kind, pgm_id)
            if others_work and kind not in {Kind.FLUSH, Kind.SEARCH}:
                await self.work()

        error = await played(Script(in_order(strikes), others), answered())
        if error is not None:
            note(f"    it ended with {error!r}")
            if not isinstance(error, (*_UNKNOWN, NotFoundError, ConflictError)):
                raise error
        return answers[0] if answers else None

    async def _told(self, work: Coroutine[Any, Any, None]) -> str:
        await work
        return "done"

    async def _others(self, kind: Kind, pgm_id: str) -> None:
        if kind is Kind.LAPSE:
            await self.service.registry.clock.advance(ALL_LEASES)
        elif kind is Kind.OTHERS_WORK:
            await self.work()
        elif kind is Kind.FLUSH:
            self.service.dispatcher.lose_everything()
        elif kind is Kind.SEARCH:
            await self.search()
        elif pgm_id in self.model.programs:
            await self._others_change(kind, pgm_id)

    async def _others_change(self, kind: Kind, pgm_id: str) -> None:
        program = self.model.programs[pgm_id]
        if kind is Kind.DELETE:
            await self.delete(pgm_id, [])
        elif kind is Kind.REPLACE:
            await self.replace(pgm_id, {"0000_11": "pump" if program.latest % 2 else "door"}, [])
        elif kind is Kind.REINDEX:
            await self.retry(pgm_id, Include.ALL, [])
        elif kind is Kind.REMOVE:
            for document_id in sorted(program.notes):
                await self.remove_document(pgm_id, document_id, [])

    def _notes(self, pgm_id: str) -> dict[str, tuple[str, int]]:
        documents = self.service.registry.committed.documents.values()
        return {
            each.document_id: (each.document_name, each.size_bytes)
            for each in documents
            if (each.pgm_id, each.revision) == (pgm_id, PROGRAM_ITSELF)
        }

    def _sent(self, files: Files) -> tuple[Upload, Sent]:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        upload, inspected = an_upload(folder, {logic_id: LADDERS[files[logic_id]] for logic_id in sorted(files)})
        self.reader.inspections[upload.ladder_zip.path] = inspected
        return upload, Sent(files=files, inspected=inspected)


async def a_modelled_service(folder: Path) -> ModelledService:
    """Nothing registered yet. Every port of its container has places where strikes may fall."""
    service = await a_service(folder)
    container = service.container
    for name in ("blobs", "index", "embedder", "chunk_reader"):
        port = getattr(container, name)
        port.override(providers.Object(Passages(port(), name)))
    container.unit_of_work.override(providers.Object(PassagesOfTransactions(container.unit_of_work())))
    container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=ATTEMPTS), jitter=_no_jitter)
    reader = InspectedBefore()
    container.upload_reader.override(providers.Object(reader))
    return ModelledService(folder=folder, service=service, reader=reader)


class InspectedBefore(UploadReader):
    """Answers for each of several uploads that are on their way at once."""

    def __init__(self) -> None:
        self.inspections: dict[Path, InspectedUpload] = {}

    async def inspect(self, upload: Upload) -> InspectedUpload:
        return self.inspections[upload.ladder_zip.path]


def _no_jitter() -> float:
    return 0.0


def _revision_of(document_id: str) -> int:
    return revision_of(DocumentRef(document_id=document_id, generation=1))
