"""What a limited child does with stored documents: take them out of their archive, check them, cut them into chunks."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from os import SEEK_END
from pathlib import Path

from adapters.plc_files.archive import read_archive
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.further_passages import read_passages
from adapters.plc_files.unpack import unpack, unpack_whole
from adapters.plc_files.workbook_problems import WorkbookProblem
from domain.chunk import Chunk
from domain.comments import DeviceComments
from domain.document import Document, DocumentType, Failure
from domain.document_chunks import document_chunks
from domain.further.passages import passage_chunks
from domain.ladder.table import TableError
from domain.ports.chunk_reader import ReadDocument
from domain.upload import UploadLimits

_Read = Callable[[Document], bytes | None]


def read_documents(
    documents: Sequence[Document], source: Path, comments: DeviceComments, scratch: Path, limits: UploadLimits
) -> Iterator[ReadDocument]:
    """Read each document; one value per document, in order. OSError is the local disk's."""
    with source.open("rb") as file:
        members = (
            {member.stored_name: member for member in read_archive(file, file.seek(0, SEEK_END), limits).members}
            if any(document.member is not None for document in documents)
            else {}
        )

        def content_of(document: Document) -> bytes | None:
            if document.member is None:
                file.seek(0)
                return file.read(document.size_bytes + 1)
            member = members.get(document.member)
            if member is None or member.size_bytes != document.size_bytes:
                return None
            try:
                return unpack_whole(file, member)
            except ArchiveProblem:
                return None

        for document in documents:
            yield _read_document(document, content_of, comments, scratch, limits)


def _read_document(
    document: Document, content_of: _Read, comments: DeviceComments, scratch: Path, limits: UploadLimits
) -> ReadDocument:
    content = content_of(document)
    if content is None or hashlib.sha256(content).hexdigest() != document.sha256:
        failure = Failure(code="storage_corrupt", message="the stored bytes are not those that were uploaded")
        return ReadDocument(document=document, outcome=failure, content_path=None)
    content_path = scratch / f"{document.document_id}.g{document.generation}"
    content_path.write_bytes(content)
    return ReadDocument(
        document=document, outcome=_chunks(content, document, comments, limits), content_path=content_path
    )


def _chunks(
    content: bytes, document: Document, comments: DeviceComments, limits: UploadLimits
) -> tuple[Chunk, ...] | Failure:
    try:
        if document.document_type is DocumentType.FURTHER:
            return passage_chunks(read_passages(content, document.document_name, limits), document)
        return document_chunks(content, document, comments)
    except (TableError, WorkbookProblem) as error:
        return Failure(code=error.code, message=str(error))


def extract_member(source: Path, stored_name: str, to: Path, limits: UploadLimits) -> str | None:
    """Write one member to a new file. Returns what is wrong: '' when there is no such member, None when all is well."""
    with source.open("rb") as file:
        archive = read_archive(file, file.seek(0, SEEK_END), limits)
        member = next((member for member in archive.members if member.stored_name == stored_name), None)
        if member is None:
            return ""
        try:
            with to.open("xb") as target:
                target.writelines(unpack(file, member))
        except ArchiveProblem as problem:
            return problem.message
    return None
