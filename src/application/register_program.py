"""Register a program: all of it or nothing, needing the blob store and the database alone."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from application.store_upload import Drawn, StoreUpload
from domain.document import DocumentType
from domain.errors import ConflictError, InvalidUploadError
from domain.events import ClaimedEvent
from domain.findings import Finding
from domain.idempotency import KeptAnswer
from domain.ports.blob_store import BlobStore
from domain.ports.program_repo import ProgramRepo
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.program import ProgramDetails, Registration
from domain.registration import FIRST_REVISION, indexing_events, register, uploaded_files
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterCommand:
    """Who registers what."""

    details: ProgramDetails
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An accepted upload: what was recorded, the notices to pass on, and the events kept for ourselves."""

    registration: Registration
    findings: tuple[Finding, ...]
    held: tuple[ClaimedEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProgram:
    """The caller waits for a look and a put, whatever the number of CSVs: only the uploaded files are stored, at once.

    The archive is the write-ahead copy of every document in it.
    """

    reader: UploadReader
    blobs: BlobStore
    unit_of_work: UnitOfWork
    clock: Callable[[], datetime]
    indexed_types: AbstractSet[DocumentType]
    hold_events_for: timedelta = timedelta(0)
    """More than nothing where indexing happens before the answer: the events are ours for so long, then a relay's."""

    async def __call__(
        self, command: RegisterCommand, *, keep: Callable[[Registered], KeptAnswer] | None = None
    ) -> Registered:
        """Check, store, record. Raises InvalidUploadError with every finding; then nothing is left behind.

        `keep` makes the answer that is recorded with the program. Raises ConflictError when its key is taken by then.
        """
        inspected = await self.reader.inspect(command.upload)
        if not inspected.is_valid:
            raise InvalidUploadError(inspected.findings)
        store: StoreUpload[Drawn] = StoreUpload(blobs=self.blobs, unit_of_work=self.unit_of_work)
        drawn, stored = await store(partial(uploaded_files, command.upload), _draw)
        registration = register(
            drawn.pgm_id, command.details, inspected, stored, now=self.clock(), indexed_types=self.indexed_types
        )
        registered = Registered(registration=registration, findings=inspected.findings)
        held = await self._record(drawn.prefix, registration, keep(registered) if keep else None)
        return replace(registered, held=tuple(held))

    async def _clean_up(self, prefix: str) -> None:
        await self.blobs.delete_below(prefix)
        async with self.unit_of_work.begin() as transaction:
            await transaction.uploads.finish(prefix)

    async def _record(self, prefix: str, registration: Registration, answer: KeptAnswer | None) -> list[ClaimedEvent]:
        """One transaction. When its outcome is unknown the blobs stay: the sweeper removes what was not committed."""
        try:
            return await self._commit(prefix, registration, answer)
        except ConflictError:
            # Another took the key, or a sweeper took us for dead: what we put has no other owner.
            await self._clean_up(prefix)
            raise

    async def _commit(self, prefix: str, registration: Registration, answer: KeptAnswer | None) -> list[ClaimedEvent]:
        async with self.unit_of_work.begin() as transaction:
            if answer:
                await transaction.idempotency.keep(answer)  # first: whoever waits for it here has done nothing in vain
            await transaction.uploads.finish(prefix)
            await transaction.programs.add(registration)
            await transaction.documents.add(registration.documents)
            await transaction.announcements.registered(registration.program.pgm_id, registration.program.revision)
            event_ids = await transaction.outbox.add(indexing_events(registration))
            return await transaction.outbox.hold(event_ids, lease=hold) if (hold := self.hold_events_for) else []


async def _draw(programs: ProgramRepo, skip: int) -> Drawn:
    return Drawn(pgm_id=await programs.next_pgm_id(skip=skip), revision=FIRST_REVISION)
