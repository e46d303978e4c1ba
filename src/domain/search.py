"""What is asked of the index and what it answers."""

from dataclasses import dataclass
from enum import StrEnum

from domain.chunk import DeviceUse, Place
from domain.document import DocumentType


class SearchMode(StrEnum):
    """Which lanes a search takes."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


class Lane(StrEnum):
    """The lane that found a hit."""

    DENSE = "dense"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScope:
    """What a search is limited to; None means everything."""

    pgm_id: str | None = None
    folder_id: str | None = None
    logic_id: str | None = None
    document_type: DocumentType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A chunk that one lane found. `lexical_text` is what was indexed; `score` is higher for a better match."""

    chunk_id: str
    score: float
    lexical_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChunk:
    """A chunk that is visible now, with the document it belongs to, as Postgres knows it."""

    chunk_id: str
    pgm_id: str
    document_id: str
    document_name: str
    document_type: DocumentType
    place: Place
    first_step: int | None
    last_step: int | None
    title: str
    ladder: str
    devices: tuple[DeviceUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """An answer: the chunk, the lanes that found it, and its fused score (higher is better)."""

    chunk: FoundChunk
    score: float
    lanes: tuple[Lane, ...]
