"""What a limited child does for an upload: one job per file, each returning values and findings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from adapters.plc_files.file_look import look_at, look_at_attachment
from adapters.plc_files.ladder_archive import LadderArchive, read_ladder_archive, read_ladders
from adapters.plc_files.template_sheet import TemplateReading
from adapters.plc_files.template_workbook import read_template
from domain.attachments.attachment import Attachment
from domain.comment_file import parse_comments
from domain.comments import DeviceComments
from domain.findings import Finding, Section, Severity
from domain.inspection import Comparison, NamedCsv, compare
from domain.ladder.table import TableError
from domain.template import Logic, Template
from domain.upload import LadderMember, SpooledFile, UploadLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentReading:
    """Device comments as far as they could be read, and every finding about them."""

    comments: DeviceComments = field(default_factory=DeviceComments)
    findings: tuple[Finding, ...] = ()


def read_template_file(upload: SpooledFile, limits: UploadLimits) -> TemplateReading:
    """The template workbook."""
    if finding := look_at(upload, Section.TEMPLATE, limits):
        return TemplateReading(findings=(finding,))
    return read_template(upload.path, upload.name, limits)


def read_comment_file(upload: SpooledFile, limits: UploadLimits) -> CommentReading:
    """The device-comment CSV."""
    if finding := look_at(upload, Section.COMMENT_FILE, limits):
        return CommentReading(findings=(finding,))
    comments, problems = parse_comments(upload.path.read_bytes())
    return CommentReading(
        comments=comments, findings=tuple(_of_a_table(error, Section.COMMENT_FILE, upload.name) for error in problems)
    )


def check_attachment(upload: SpooledFile, attachment: Attachment) -> Finding | None:
    """What is wrong with an attachment, found by cutting it into chunks that nobody keeps."""
    if finding := look_at_attachment(upload, attachment):
        return finding
    try:
        attachment.chunks(upload.path.read_bytes(), DeviceComments())
    except TableError as error:
        return _of_a_table(error, Section.ATTACHMENT, upload.name)
    return None


def read_zip_directory(upload: SpooledFile, limits: UploadLimits) -> LadderArchive:
    """The ladder ZIP's directory."""
    if finding := look_at(upload, Section.LADDER_ZIP, limits):
        return LadderArchive(findings=(finding,), is_trustworthy=False)
    return read_ladder_archive(upload.path, upload.name, limits)


def compare_with_template(template: Template, archive: LadderArchive, template_name: str) -> Comparison:
    """Which CSVs to read. Where the template says nothing, all of them: what is wrong with one is worth knowing."""
    if not archive.is_trustworthy or archive.is_without_documents:
        return Comparison(named=(), findings=())
    if not template.logics:
        return Comparison(named=tuple(NamedCsv(csv=csv, logic=_unknown(csv.stem)) for csv in archive.csvs), findings=())
    return compare(template, archive.csvs, template_name=template_name, refused_stems=archive.refused_stems)


def read_named_ladders(
    named: Sequence[NamedCsv], upload: SpooledFile, limits: UploadLimits
) -> Iterator[LadderMember | Finding]:
    """The CSVs, one value each. Without a template nobody knows whether a CSV is meant: then a notice must do."""
    for one, outcome in zip(named, read_ladders(named, upload.path, limits), strict=True):
        if isinstance(outcome, Finding):
            is_sure = one.logic.row > 0 or outcome.section is Section.LADDER_ZIP
            file = upload.name if outcome.section is Section.LADDER_ZIP else outcome.file
            yield replace(outcome, file=file, severity=outcome.severity if is_sure else Severity.NOTICE)
        else:
            yield outcome


def _unknown(stem: str) -> Logic:
    return Logic(row=0, folder_id="", folder_name="", sub_folder_name="", logic_id=stem, logic_name="")


def _of_a_table(error: TableError, section: Section, file_name: str) -> Finding:
    return Finding(
        section=section, code=error.code, file=file_name, row=error.row, message=error.message, hint=error.hint
    )
