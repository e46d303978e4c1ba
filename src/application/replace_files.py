"""Upload a registered program's files anew: a revision beside the one that answers, until it can take its place."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from application.register_program import Registered
from application.spool import sha256_of
from application.store_upload import Drawn, StoreUpload
from domain.document import DocumentType
from domain.errors import ConflictError, InvalidUploadError, NotFoundError
from domain.events import ClaimedEvent, Event, RevisionSuperseded
from domain.ports.blob_store import BlobStore
from domain.ports.program_repo import ProgramRepo
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.program import Registration
from domain.registration import indexing_events, register, uploaded_files
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCommand:
    """Who replaces which program's files."""

    pgm_id: str
    create_user: str
    upload: Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplicated:
    """The files are, byte for byte, those of this revision already."""

    pgm_id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceFiles:
    """All of it or nothing, like a registration. What answers goes on answering; a revision that waited is given up."""

    reader: UploadReader
    blobs: BlobStore
    unit_of_work: UnitOfWork
    clock: Callable[[], datetime]
    indexed_types: AbstractSet[DocumentType]
    hold_events_for: timedelta = timedelta(0)

    async def __call__(self, command: ReplaceCommand) -> Registered | Deduplicated:
        """Compare, check, store, record. Raises NotFoundError, and InvalidUploadError with every finding."""
        async with self.unit_of_work.begin() as transaction:
            latest = await transaction.programs.latest(command.pgm_id)
        if await _digests(command.upload) == latest.sha256:
            return Deduplicated(pgm_id=command.pgm_id, revision=latest.revision)
        inspected = await self.reader.inspect(command.upload)
        if not inspected.is_valid:
            raise InvalidUploadError(inspected.findings)

        async def draw(programs: ProgramRepo, skip: int) -> Drawn:
            return Drawn(pgm_id=command.pgm_id, revision=await programs.draw_revision(command.pgm_id, skip=skip))

        store: StoreUpload[Drawn] = StoreUpload(blobs=self.blobs, unit_of_work=self.unit_of_work)
        drawn, stored = await store(partial(uploaded_files, command.upload), draw)
        registration = register(
            command.pgm_id,
            replace(latest.program.details, create_user=command.create_user),
            inspected,
            stored,
            now=self.clock(),
            indexed_types=self.indexed_types,
            revision=drawn.revision,
        )
        held = await self._record(drawn.prefix, registration)
        shown = replace(registration.program, create_dt=latest.program.create_dt)  # its revision is younger
        return Registered(
            registration=replace(registration, program=shown), findings=inspected.findings, held=tuple(held)
        )

    async def _record(self, prefix: str, registration: Registration) -> list[ClaimedEvent]:
        """One transaction; when its outcome is unknown the blobs stay: the sweeper sees whether it was committed."""
        try:
            async with self.unit_of_work.begin() as transaction:
                await transaction.uploads.finish(prefix)
                superseded = await transaction.programs.add_revision(registration)
                await transaction.documents.add(registration.documents)
                await transaction.announcements.registered(registration.program.pgm_id, registration.program.revision)
                event_ids = await transaction.outbox.add(_events(registration, superseded))
                return await transaction.outbox.hold(event_ids, lease=hold) if (hold := self.hold_events_for) else []
        except (ConflictError, NotFoundError):
            # A sweeper took us for dead, or the program was deleted meanwhile: what we put has no other owner.
            await self.blobs.delete_below(prefix)
            raise


async def _digests(upload: Upload) -> dict[DocumentType, str]:
    return {kind: await sha256_of(file.path) for kind, file in upload.by_type.items()}


def _events(registration: Registration, superseded: Sequence[int]) -> list[Event]:
    pgm_id = registration.program.pgm_id
    purges = [RevisionSuperseded(pgm_id=pgm_id, revision=revision) for revision in superseded]
    is_late = registration.program.revision in superseded
    return [*(() if is_late else indexing_events(registration)), *purges]
