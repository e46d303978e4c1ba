"""Take a further document of a program: all of it or nothing, needing the blob store and the database alone."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from application.answer_once import AnswerOnce
from application.spool import sha256_of
from application.store_upload import Files, StoreUpload
from domain.document import Document, DocumentType
from domain.errors import ConflictError, InvalidUploadError, NotFoundError
from domain.events import ClaimedEvent, DocumentsRegistered, DocumentsRemoved, Event
from domain.further.further_document import MOST_DOCUMENTS, DocumentDetails, DrawnDocument, further_document, stored_at
from domain.idempotency import IdempotencyKey, KeptAnswer, SentFile, keyed_request
from domain.ports.blob_store import BlobStore
from domain.ports.passage_reader import PassageReader
from domain.ports.program_repo import ProgramRepo
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import prefix_of
from domain.upload import SpooledFile


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDocumentCommand:
    """Which file is to belong to which program."""

    pgm_id: str
    details: DocumentDetails
    file: SpooledFile


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedDocument:
    """What was recorded, and the events kept for ourselves."""

    document: Document
    held: tuple[ClaimedEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDocument:
    """A document of the same name gives way, at once: its id stays, its generation is raised, its blob is purged."""

    reader: PassageReader
    blobs: BlobStore
    unit_of_work: UnitOfWork
    clock: Callable[[], datetime]
    hold_events_for: timedelta = timedelta(0)

    async def __call__(
        self, command: AddDocumentCommand, *, keep: Callable[[AddedDocument], KeptAnswer] | None = None
    ) -> AddedDocument:
        """Check, store, record. Raises NotFoundError, TooManyDocumentsError, and InvalidUploadError with the finding.

        `keep` makes the answer that is recorded with it. Raises ConflictError when its key is taken by then.
        """
        async with self.unit_of_work.begin() as transaction:
            await transaction.programs.latest(command.pgm_id)  # an unknown program is told before the file is read
        if finding := await self.reader.check(command.file):
            raise InvalidUploadError((finding,))

        async def draw(programs: ProgramRepo, skip: int) -> DrawnDocument:
            number = await programs.draw_document(command.pgm_id, skip=skip)
            return DrawnDocument(pgm_id=command.pgm_id, number=number)

        def files_below(prefix: str) -> Files:
            return {DocumentType.FURTHER: (command.file, stored_at(prefix, command.file))}

        store: StoreUpload[DrawnDocument] = StoreUpload(blobs=self.blobs, unit_of_work=self.unit_of_work)
        drawn, stored = await store(files_below, draw)
        file, blob = stored[DocumentType.FURTHER]
        document = further_document(drawn, command.details, file, blob, now=self.clock())
        return await self._record(drawn.prefix, document, keep)

    async def _record(
        self, prefix: str, document: Document, keep: Callable[[AddedDocument], KeptAnswer] | None
    ) -> AddedDocument:
        """One transaction. When its outcome is unknown the blob stays: the sweeper removes what was not committed."""
        try:
            return await self._commit(prefix, document, keep)
        except (ConflictError, NotFoundError):
            # Another took the key, a sweeper took us for dead, or the program was deleted: what we put has no owner.
            await self.blobs.delete_below(prefix)
            async with self.unit_of_work.begin() as transaction:
                await transaction.uploads.finish(prefix)
            raise

    async def _commit(
        self, prefix: str, document: Document, keep: Callable[[AddedDocument], KeptAnswer] | None
    ) -> AddedDocument:
        async with self.unit_of_work.begin() as transaction:
            recorded, before = await transaction.documents.put_further(document, at_most=MOST_DOCUMENTS)
            added = AddedDocument(document=recorded)
            if keep:
                await transaction.idempotency.keep(keep(added))
            await transaction.uploads.finish(prefix)
            events: list[Event] = [DocumentsRegistered(pgm_id=document.pgm_id, documents=(recorded.ref,))]
            indexing, *_ = await transaction.outbox.add(events)
            if before:
                await transaction.uploads.take_unowned(prefix_of(before.blob_key))
                await transaction.outbox.add([removal_of(before)])
            hold = self.hold_events_for
            held = await transaction.outbox.hold([indexing], lease=hold) if hold else []
        return replace(added, held=tuple(held))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDocumentOnce:
    """Looks the key up before anything is read or stored."""

    add_document: AddDocument
    answer_once: AnswerOnce

    async def __call__(
        self, command: AddDocumentCommand, key: IdempotencyKey | None, *, render: Callable[[AddedDocument], bytes]
    ) -> AddedDocument | KeptAnswer:
        """Add, and keep what `render` makes of it under the key; or the answer that is kept already.

        Without a key every call adds. Raises ReusedKeyError besides what AddDocument raises.
        """
        if key is None:
            return await self.add_document(command)
        request = keyed_request(
            key, target=command.pgm_id, texts=asdict(command.details), files=await _sent_file(command.file)
        )

        def answer(added: AddedDocument) -> KeptAnswer:
            return KeptAnswer(request=request, pgm_id=command.pgm_id, answer=render(added))

        return await self.answer_once(request, lambda: self.add_document(command, keep=answer))


def removal_of(document: Document) -> DocumentsRemoved:
    """The event that purges what a further document had at this generation."""
    return DocumentsRemoved(pgm_id=document.pgm_id, documents=(document.ref,), prefix=prefix_of(document.blob_key))


async def _sent_file(file: SpooledFile) -> Mapping[str, SentFile]:
    return {DocumentType.FURTHER: SentFile(name=file.name, sha256=await sha256_of(file.path))}
