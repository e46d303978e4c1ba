"""A further document of a program: what it may be, where it stands, and how it is recorded."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from domain.document import Document, DocumentState, DocumentType
from domain.ports.blob_store import StoredBlob
from domain.registration import program_prefix
from domain.upload import SpooledFile

SUFFIXES = (".csv", ".xlsx", ".xls", ".txt", ".md", ".pdf")
PROGRAM_ITSELF = 0
"""In place of a revision: a document that belongs to its program, whichever revision answers (ADR 29)."""

MOST_DOCUMENTS = 1_000
"""Of one program."""

_FIRST_ORDINAL = 1_000_000  # behind every document of a revision, so that one order lists both


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDocument:
    """A number that no other document of the program was given."""

    pgm_id: str
    number: int

    @property
    def prefix(self) -> str:
        """The folder of its blob."""
        return f"{program_prefix(self.pgm_id)}/d{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDetails:
    """What its sender says about a further document; its title may be blank, then its name does."""

    title: str = ""
    description: str = ""


def stored_at(drawn_prefix: str, file: SpooledFile) -> str:
    """The key of its blob. A fixed name: what a sender calls a file is for people, not for paths."""
    return f"{drawn_prefix}/document{PurePath(file.name).suffix.lower()}"


def further_document(
    drawn: DrawnDocument, details: DocumentDetails, file: SpooledFile, blob: StoredBlob, *, now: datetime
) -> Document:
    """What is recorded of it, ready to be indexed."""
    return Document(
        document_id=f"{drawn.pgm_id}-r{PROGRAM_ITSELF}-{drawn.number:04d}",
        pgm_id=drawn.pgm_id,
        revision=PROGRAM_ITSELF,
        ordinal=_FIRST_ORDINAL + drawn.number,
        document_type=DocumentType.FURTHER,
        document_name=file.name,
        blob_key=blob.key,
        member=None,
        size_bytes=blob.size_bytes,
        sha256=blob.sha256,
        create_dt=now,
        state=DocumentState.PENDING,
        title=details.title,
        description=details.description,
    )
