"""Documents and chunks as rows and back."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, select

from adapters.postgres.many_rows import Row as NewRow
from adapters.postgres.tables import documents
from domain.chunk import Chunk, DeviceUse, Place, chunk_id
from domain.document import Document, DocumentRef, DocumentState, DocumentType, Failure, LadderFacts
from domain.further.further_document import PROGRAM_ITSELF
from domain.search import FoundChunk


def row_of_document(document: Document) -> NewRow:
    """A row of `documents`."""
    facts, failure = document.ladder, document.failure
    return {
        "document_id": document.document_id,
        "pgm_id": document.pgm_id,
        "revision": document.revision,
        "ordinal": document.ordinal,
        "document_type": document.document_type.value,
        "document_name": document.document_name,
        "blob_key": document.blob_key,
        "member": document.member,
        "size_bytes": document.size_bytes,
        "sha256": document.sha256,
        "create_dt": document.create_dt,
        "state": document.state.value,
        "generation": document.generation,
        "logic_id": document.logic_id,
        "logic_name": document.logic_name,
        "folder_id": document.folder_id,
        "folder_name": document.folder_name,
        "sub_folder_name": document.sub_folder_name,
        "ladder_encoding": facts and facts.encoding,
        "ladder_delimiter": facts and facts.delimiter,
        "ladder_tool": facts and facts.tool,
        "ladder_cpu": facts and facts.cpu,
        "ladder_row_count": facts and facts.row_count,
        "ladder_rung_count": facts and facts.rung_count,
        "chunk_count": document.chunk_count,
        "failure_code": failure and failure.code,
        "failure_message": failure and failure.message,
        "indexed_dt": document.indexed_dt,
        "title": document.title,
        "description": document.description,
    }


def document_of_row(row: Row[Any]) -> Document:
    """A document of a row that holds all columns of `documents`."""
    return Document(
        document_id=row.document_id,
        pgm_id=row.pgm_id,
        revision=row.revision,
        ordinal=row.ordinal,
        document_type=DocumentType(row.document_type),
        document_name=row.document_name,
        blob_key=row.blob_key,
        member=row.member,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        create_dt=row.create_dt,
        state=DocumentState(row.state),
        generation=row.generation,
        logic_id=row.logic_id,
        logic_name=row.logic_name,
        folder_id=row.folder_id,
        folder_name=row.folder_name,
        sub_folder_name=row.sub_folder_name,
        ladder=_facts_of_row(row),
        chunk_count=row.chunk_count,
        failure=None if row.failure_code is None else Failure(code=row.failure_code, message=row.failure_message),
        indexed_dt=row.indexed_dt,
        title=row.title,
        description=row.description,
    )


def further_blobs(pgm_ids: Collection[str]) -> Select[str]:
    """The keys of the blobs that these programs own themselves."""
    return select(documents.c.blob_key).where(documents.c.pgm_id.in_(pgm_ids), documents.c.revision == PROGRAM_ITSELF)


def rows_of_chunks(ref: DocumentRef, chunks: Sequence[Chunk], *, rendering_version: int) -> list[NewRow]:
    """Rows of `chunks`. The texts of the two search lanes live in the index alone."""
    return [
        {
            "chunk_id": chunk_id(ref, chunk.ordinal),
            "dense_digest": chunk.dense_digest,
            "rendering_version": rendering_version,
            "document_id": ref.document_id,
            "generation": ref.generation,
            "ordinal": chunk.ordinal,
            "logic_id": chunk.place.logic_id,
            "logic_name": chunk.place.logic_name,
            "folder_id": chunk.place.folder_id,
            "folder_name": chunk.place.folder_name,
            "sub_folder_name": chunk.place.sub_folder_name,
            "first_step": chunk.first_step,
            "last_step": chunk.last_step,
            "title": chunk.title,
            "ladder": chunk.ladder,
            "devices": [[use.device, use.comment] for use in chunk.devices],
        }
        for chunk in chunks
    ]


def found_chunk_of_row(row: Row[Any]) -> FoundChunk:
    """A visible chunk of a row that joins a chunk and its document."""
    return FoundChunk(
        chunk_id=row.chunk_id,
        pgm_id=row.pgm_id,
        document_id=row.document_id,
        document_name=row.document_name,
        document_type=DocumentType(row.document_type),
        place=Place(
            logic_id=row.logic_id,
            logic_name=row.logic_name,
            folder_id=row.folder_id,
            folder_name=row.folder_name,
            sub_folder_name=row.sub_folder_name,
        ),
        first_step=row.first_step,
        last_step=row.last_step,
        title=row.title,
        ladder=row.ladder,
        devices=tuple(DeviceUse(device=device, comment=comment) for device, comment in row.devices),
    )


def _facts_of_row(row: Row[Any]) -> LadderFacts | None:
    if row.ladder_encoding is None:
        return None
    return LadderFacts(
        encoding=row.ladder_encoding,
        delimiter=row.ladder_delimiter,
        tool=row.ladder_tool,
        cpu=row.ladder_cpu,
        row_count=row.ladder_row_count,
        rung_count=row.ladder_rung_count,
    )
