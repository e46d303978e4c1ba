"""What validation finds in an upload: each problem with its place and its remedy."""

from dataclasses import dataclass
from enum import StrEnum

from domain.told import Told


class Section(StrEnum):
    """The part of an upload that a finding belongs to, in the order in which they are reported."""

    LADDER_ZIP = "ladder_zip"
    TEMPLATE = "template"
    COMMENT_FILE = "comment_file"
    TEMPLATE_AGAINST_ZIP = "template_against_zip"
    LADDER_CSV = "ladder_csv"
    ATTACHMENT = "attachment"
    DOCUMENT = "document"


class Severity(StrEnum):
    """Whether a finding refuses the upload."""

    ERROR = "error"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem. `row` counts from 1 as a spreadsheet shows it; None where the whole file is meant."""

    section: Section
    code: str
    file: str
    message: Told
    hint: Told
    row: int | None = None
    severity: Severity = Severity.ERROR


_SECTION_ORDER = {section: place for place, section in enumerate(Section)}


def in_reading_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Order findings by section, file and row, errors and notices alike."""
    return tuple(sorted(findings, key=lambda f: (_SECTION_ORDER[f.section], f.file, f.row or 0, f.code)))


def errors_among(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Those findings that refuse the upload."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
