"""A program: the ladder logic of one machine or line, registered whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from domain.comments import DeviceComments
from domain.document import Document, DocumentState, DocumentType
from domain.template import Template


class ProgramStatus(StrEnum):
    """Derived from the states of the documents."""

    INDEXING = "indexing"
    INDEXED = "indexed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramDetails:
    """What its owner says about a program."""

    pgm_name: str
    create_user: str
    pgm_version: str = ""
    description: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailChanges:
    """What is to be said of a program from now on; None leaves it as it is. Who created it stays."""

    pgm_name: str | None = None
    pgm_version: str | None = None
    description: str | None = None
    notes: str | None = None

    def named(self) -> Mapping[str, str]:
        """The fields that change, by their names in ProgramDetails."""
        all_of_them = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: text for name, text in all_of_them.items() if text is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A registered program. `revision` counts its uploads from 1; it is the one that answers."""

    pgm_id: str
    details: ProgramDetails
    revision: int
    create_dt: datetime
    update_dt: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Everything that one transaction records about an accepted upload."""

    program: Program
    documents: tuple[Document, ...]
    template: Template
    comments: DeviceComments


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingProgress:
    """How many documents of a program are in which state."""

    counts: Mapping[DocumentState, int]

    @property
    def total(self) -> int:
        """All documents, those included that have nothing to index."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Documents in a terminal state."""
        return sum(count for state, count in self.counts.items() if state.is_terminal)

    @property
    def failed(self) -> int:
        """Documents that failed."""
        return self.counts.get(DocumentState.FAILED, 0)

    @property
    def status(self) -> ProgramStatus:
        """Indexing until every document is done; failed when any of them is."""
        if self.done < self.total:
            return ProgramStatus.INDEXING
        return ProgramStatus.FAILED if self.failed else ProgramStatus.INDEXED


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRevision:
    """The newest upload of a program, whether it answers already or not; `sha256` (hex) is of its files."""

    program: Program
    revision: int
    sha256: Mapping[DocumentType, str]
