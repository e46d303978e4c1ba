"""Registration is all or nothing, and needs the blob store and the database alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from application.spool import store_file
from application.sweep_uploads import LONGEST_UPLOAD
from builders.service import a_service
from domain.document import DocumentState, DocumentType
from domain.errors import ConflictError, InvalidUploadError, UnavailableError
from domain.findings import Finding, Section
from domain.ports.blob_store import BlobEntry, StoredBlob
from domain.told import told
from fakes.blob_store import LONG_AGO, InMemoryBlobStore, UnavailableBlobStore

BROKEN = Finding(
    section=Section.LADDER_CSV,
    code="not_a_ladder",
    file="a.csv",
    message=told("no header"),
    hint=told("Export it again."),
)


async def test_a_registration_records_every_document_with_its_place_in_the_template(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    documents = (await service.register()).registration.documents
    assert [(d.document_id, d.document_type, d.state) for d in documents] == [
        ("PGM_1-r1-0000", DocumentType.LADDER_ZIP, DocumentState.SKIPPED),
        ("PGM_1-r1-0001", DocumentType.TEMPLATE, DocumentState.PENDING),
        ("PGM_1-r1-0002", DocumentType.LADDER_CSV, DocumentState.PENDING),
        ("PGM_1-r1-0003", DocumentType.LADDER_CSV, DocumentState.PENDING),
    ]
    assert (documents[2].logic_id, documents[2].folder_name, documents[2].member) == (
        "0000_11",
        "이송부",
        "0000_11.csv",
    )


async def test_only_the_uploaded_files_are_stored_byte_for_byte(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    stored = {entry.key: entry.size_bytes async for entry in service.blobs.list_below("")}
    assert stored == {
        "programs/PGM_1/r1/zip/ladder.zip": service.upload.ladder_zip.size_bytes,
        "programs/PGM_1/r1/template/template.xlsx": service.upload.template.size_bytes,
    }


async def test_what_stands_under_its_number_already_is_left_alone_and_another_number_is_drawn(tmp_path: Path) -> None:
    """As after a restored backup, which gives numbers out again."""
    service = await a_service(tmp_path)
    for number in range(1, 6):
        await _left_behind(service.blobs, f"programs/PGM_{number}/r1/zip/ladder.zip")
    before = {entry.key async for entry in service.blobs.list_below("")}
    registered = await service.register()
    assert registered.registration.program.pgm_id == "PGM_7"  # 1 and 3 are tried before
    added = {entry.key async for entry in service.blobs.list_below("")} - before
    assert {key.rpartition("/")[0] for key in added} == {"programs/PGM_7/r1/zip", "programs/PGM_7/r1/template"}
    assert not service.registry.committed.uploads


async def test_an_upload_that_fails_removes_nothing_that_stood_there_before(tmp_path: Path) -> None:
    """As after a restored backup, and the blob store fails besides."""
    failing = NoRoomForTemplates()
    service = await a_service(tmp_path, blobs=failing)
    await _left_behind(failing, "programs/PGM_1/r1/comments/old.csv")
    with pytest.raises(UnavailableError):
        await service.register()
    assert [entry.key async for entry in failing.list_below("")] == ["programs/PGM_1/r1/comments/old.csv"]


class NoRoomForTemplates(InMemoryBlobStore):
    """Has no room for any template."""

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        if "/template/" in key:
            raise UnavailableError("blob store", "no room")
        return await super().put(key, content)


async def test_a_number_that_cannot_be_looked_at_is_swept_by_nobody(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await _left_behind(service.blobs, "programs/PGM_1/r1/zip/ladder.zip")
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))
    with pytest.raises(UnavailableError):
        await service.register()
    assert not service.registry.committed.uploads
    assert [entry.key async for entry in service.blobs.list_below("")] == ["programs/PGM_1/r1/zip/ladder.zip"]


async def test_more_numbers_than_a_restore_can_explain_are_not_tried(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.blobs.list_below = _taken  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match="far beyond"):
        await service.register()
    assert not service.registry.committed.uploads


async def _left_behind(blobs: InMemoryBlobStore, key: str) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"of before"

    await blobs.put(key, content())


async def _taken(prefix: str) -> AsyncIterator[BlobEntry]:
    yield BlobEntry(key=f"{prefix}/zip/ladder.zip", size_bytes=7, modified=LONG_AGO)


async def test_a_refused_upload_leaves_no_row_and_no_blob(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    service.upload_reader.inspected = replace(service.inspected, findings=(BROKEN,))
    with pytest.raises(InvalidUploadError) as refused:
        await service.register()
    assert refused.value.findings == (BROKEN,)
    assert not service.registry.committed.programs
    assert not service.registry.committed.uploads
    assert not [entry async for entry in service.blobs.list_below("")]


class FullAfterOne(InMemoryBlobStore):
    """Takes one blob and has no room for another, but waits with saying so until the first stands."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0
        self.first_stands = asyncio.Event()

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        self.puts += 1
        if self.puts > 1:
            await self.first_stands.wait()
            raise UnavailableError("blob store", "no room")
        stored = await super().put(key, content)
        self.first_stands.set()
        return stored


async def test_a_blob_store_that_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    behind = FullAfterOne()
    service = await a_service(tmp_path, blobs=behind)
    with pytest.raises(UnavailableError):
        await service.register()
    assert behind.puts == 2
    assert not [entry async for entry in behind.list_below("")]
    assert not service.registry.committed.programs
    assert not service.registry.committed.uploads


async def test_what_a_crash_before_the_commit_left_is_swept_up(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    async with service.container.unit_of_work().begin() as transaction:
        await transaction.uploads.begin("programs/PGM_9/r1")
    await store_file(service.blobs, "programs/PGM_9/r1/zip/ladder.zip", service.upload.ladder_zip.path)
    assert await service.container.sweep_uploads()() == 0
    await service.registry.clock.advance(LONGEST_UPLOAD * 2)
    assert await service.container.sweep_uploads()() == 1
    assert not [entry async for entry in service.blobs.list_below("")]
    assert await service.container.sweep_uploads()() == 0


class SweptWhileStoring(InMemoryBlobStore):
    """Takes so long for the first blob that a sweeper comes by."""

    sweep: Callable[[], Awaitable[object]] | None = None

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        sweep, self.sweep = self.sweep, None
        if sweep:
            await sweep()
        return await super().put(key, content)


async def test_an_upload_that_a_sweeper_took_for_dead_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    behind = SweptWhileStoring()
    service = await a_service(tmp_path, blobs=behind)

    async def sweep() -> None:
        await service.registry.clock.advance(LONGEST_UPLOAD * 2)
        async with service.container.unit_of_work().begin() as transaction:
            await transaction.uploads.take_abandoned(older_than=LONGEST_UPLOAD)

    behind.sweep = sweep
    with pytest.raises(ConflictError):
        await service.register()
    assert not [entry async for entry in behind.list_below("")]
    assert not service.registry.committed.programs
    assert await service.container.sweep_uploads()() == 1, "the prefix is the sweeper's to forget"


async def test_a_registered_program_is_never_swept(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.registry.clock.advance(LONGEST_UPLOAD * 2)
    assert await service.container.sweep_uploads()() == 0
    assert len([entry async for entry in service.blobs.list_below("")]) == 2


async def test_content_comes_from_the_archive_until_the_document_has_its_own_object(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    before = await service.container.read_content()("PGM_1-r1-0002")
    assert before.document.member == "0000_11.csv"
    bytes_before = b"".join([piece async for piece in before.pieces(0, None)])
    await service.work()
    after = await service.container.read_content()("PGM_1-r1-0002")
    assert (after.document.member, after.document.blob_key) == (None, "programs/PGM_1/r1/ladder_files/0000_11.csv")
    assert b"".join([piece async for piece in after.pieces(0, None)]) == bytes_before
