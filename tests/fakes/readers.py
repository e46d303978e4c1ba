"""Readers of files without child processes: what they read is what a test put together."""

import asyncio
import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from adapters.plc_files.document_check import check_document
from adapters.plc_files.further_passages import read_passages
from adapters.plc_files.workbook_problems import WorkbookProblem
from domain.comments import DeviceComments
from domain.document import Document, DocumentType, Failure
from domain.document_chunks import document_chunks
from domain.errors import NotFoundError
from domain.findings import Finding
from domain.further.passages import passage_chunks
from domain.ladder.table import TableError
from domain.ports.archive_reader import ArchiveReader
from domain.ports.chunk_reader import ChunkReader, ReadDocument
from domain.ports.passage_reader import PassageReader
from domain.ports.upload_reader import UploadReader
from domain.upload import InspectedUpload, SpooledFile, Upload, UploadLimits


class ScriptedUploadReader(UploadReader):
    """Answers what the test says an inspection would find."""

    def __init__(self, inspected: InspectedUpload) -> None:
        self.inspected = inspected

    async def inspect(self, upload: Upload) -> InspectedUpload:
        return self.inspected


class GatheringUploadReader(ScriptedUploadReader):
    """Lets nobody go on until so many have come, so that all of them are at the same step."""

    def __init__(self, inspected: InspectedUpload, parties: int) -> None:
        super().__init__(inspected)
        self._barrier = asyncio.Barrier(parties)

    async def inspect(self, upload: Upload) -> InspectedUpload:
        await self._barrier.wait()
        return await super().inspect(upload)


class InProcessChunkReader(ChunkReader):
    """Reads ladders for real, in this process and without limits."""

    async def read(
        self, source: Path, documents: Sequence[Document], comments: DeviceComments, *, scratch: Path
    ) -> list[ReadDocument]:
        return [_read(source, document, comments, scratch) for document in documents]


class InProcessPassageReader(PassageReader):
    """Reads further documents for real, in this process and without limits of time and memory."""

    def __init__(self, limits: UploadLimits | None = None) -> None:
        self._limits = limits or UploadLimits()

    async def check(self, file: SpooledFile) -> Finding | None:
        return check_document(file, self._limits)


class InProcessArchiveReader(ArchiveReader):
    """Takes members out with the standard library."""

    async def extract(self, source: Path, member: str, *, to: Path) -> None:
        with zipfile.ZipFile(source) as archive:
            try:
                with archive.open(member) as content, to.open("xb") as target:
                    shutil.copyfileobj(content, target)
            except KeyError as error:
                raise NotFoundError("member", member) from error


def _read(source: Path, document: Document, comments: DeviceComments, scratch: Path) -> ReadDocument:
    if document.member is None:
        content = source.read_bytes()
    else:
        with zipfile.ZipFile(source) as archive:
            content = archive.read(document.member)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        failure = Failure(code="storage_corrupt", message="other bytes than were uploaded")
        return ReadDocument(document=document, outcome=failure, content_path=None)
    try:
        if document.document_type is DocumentType.FURTHER:
            chunks = passage_chunks(read_passages(content, document.document_name, UploadLimits()), document)
        else:
            chunks = document_chunks(content, document, comments)
    except (TableError, WorkbookProblem) as error:
        return ReadDocument(document=document, outcome=Failure(code=error.code, message=str(error)), content_path=None)
    path = scratch / document.document_id
    path.write_bytes(content)
    return ReadDocument(document=document, outcome=chunks, content_path=path)
