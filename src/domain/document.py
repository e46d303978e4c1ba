"""A document of a program: what was uploaded or taken out of the archive, and how far its indexing is."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


class DocumentType(StrEnum):
    """What a document is; the values are the wire format's."""

    LADDER_CSV = "PGM_LADDER_CSV"
    TEMPLATE = "PGM_TEMPLATE_FILE"
    LADDER_ZIP = "PGM_LADDER_ZIP"
    COMMENT_CSV = "PGM_COMMENT_CSV"
    FURTHER = "PGM_FURTHER_DOCUMENT"


class DocumentState(StrEnum):
    """How far indexing is. The last three are terminal."""

    PENDING = "pending"
    INDEXING = "indexing"
    INDEXED = "indexed"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens to the document by itself."""
        return self in {DocumentState.INDEXED, DocumentState.FAILED, DocumentState.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRef:
    """A document at one generation. Every upload, re-index and delete raises the generation."""

    document_id: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderFacts:
    """What the parser found out about one ladder CSV, as reported to the caller."""

    encoding: str
    delimiter: str
    tool: str
    cpu: str
    row_count: int
    rung_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a document failed: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document.

    Its bytes are the blob `blob_key`, or the archive member `member` inside that blob while the
    document has no object of its own. `sha256` (hex) and `size_bytes` are of the document itself.
    `ordinal` orders the documents of a revision. `chunk_count` is set once indexed. A further document has the
    `title` and the `description` that it was given.
    """

    document_id: str
    pgm_id: str
    revision: int
    ordinal: int
    document_type: DocumentType
    document_name: str
    blob_key: str
    member: str | None
    size_bytes: int
    sha256: str
    create_dt: datetime
    state: DocumentState
    generation: int = 1
    logic_id: str = ""
    logic_name: str = ""
    folder_id: str = ""
    folder_name: str = ""
    sub_folder_name: str = ""
    ladder: LadderFacts | None = None
    chunk_count: int = 0
    failure: Failure | None = None
    indexed_dt: datetime | None = None
    title: str = ""
    description: str = ""

    @property
    def ref(self) -> DocumentRef:
        """The document at its present generation."""
        return DocumentRef(document_id=self.document_id, generation=self.generation)

    def in_place_of(self, before: Self) -> Self:
        """The same content as the next generation of a document that gives way: under its id, at its place."""
        return replace(self, document_id=before.document_id, ordinal=before.ordinal, generation=before.generation + 1)
