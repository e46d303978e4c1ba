"""An upload as it arrives, and what reading its files brought to light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.comments import DeviceComments
from domain.document import DocumentType, LadderFacts
from domain.findings import Finding, errors_among
from domain.template import Template

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledFile:
    """An uploaded file on local disk under the name that its sender gave it."""

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The files of one registration; `attachments` are those of the types that domain.attachments registers."""

    ladder_zip: SpooledFile
    template: SpooledFile
    comments: SpooledFile | None = None
    attachments: Mapping[DocumentType, SpooledFile] = field(default_factory=dict)

    @property
    def files(self) -> tuple[SpooledFile, ...]:
        """Every file that came, in a fixed order."""
        return tuple(self.by_type.values())

    @property
    def by_type(self) -> Mapping[DocumentType, SpooledFile]:
        """Every file that came, by what it becomes a document of."""
        files = {DocumentType.LADDER_ZIP: self.ladder_zip, DocumentType.TEMPLATE: self.template}
        comments = {DocumentType.COMMENT_CSV: self.comments} if self.comments else {}
        return {**files, **comments, **self.attachments}


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """What an upload may hold at most. Checked before anything is unpacked."""

    zip_bytes: int = 100 * MEBIBYTE
    template_bytes: int = 10 * MEBIBYTE
    comment_bytes: int = 10 * MEBIBYTE
    csv_bytes: int = 5 * MEBIBYTE
    document_bytes: int = 20 * MEBIBYTE
    unpacked_bytes: int = 500 * MEBIBYTE
    entries: int = 5_000
    expansion_ratio: int = 100
    name_bytes: int = 255
    path_depth: int = 8
    rows: int = 200_000
    columns: int = 500
    cell_characters: int = 32_767
    required_columns: Sequence[str] = ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderMember:
    """A ladder CSV of the archive that the template names and that parses as a ladder listing.

    `member` is the entry's name as stored in the archive's directory (what a reader must ask for);
    `document_name` is the file name shown to people (right Korean, NFC, no folders).
    """

    member: str
    document_name: str
    logic_id: str
    size_bytes: int
    sha256: str
    facts: LadderFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedUpload:
    """Everything that reading an upload yields: its contents as far as they could be read, and all findings."""

    template: Template
    comments: DeviceComments
    ladders: tuple[LadderMember, ...]
    findings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        """Whether the upload may be registered."""
        return not errors_among(self.findings)
