"""Reads the files of an upload in limited child processes and collects all that is wrong with them."""

from collections.abc import Sequence

from adapters.plc_files.ladder_archive import LadderArchive
from adapters.plc_files.limited_child import ResourceLimitError
from adapters.plc_files.limited_process import LimitedProcess
from adapters.plc_files.template_sheet import TemplateReading
from adapters.plc_files.upload_jobs import (
    CommentReading,
    check_attachment,
    compare_with_template,
    read_comment_file,
    read_named_ladders,
    read_template_file,
    read_zip_directory,
)
from application.together import both, together
from domain.attachments.registry import ATTACHMENTS
from domain.document import DocumentType
from domain.findings import Finding, Section
from domain.inspection import Comparison, NamedCsv, presented
from domain.ports.upload_reader import UploadReader
from domain.told import told
from domain.upload import InspectedUpload, LadderMember, SpooledFile, Upload, UploadLimits

_MOST_KILLED = 3  # an upload may not hold a slot for hours by killing one child after the other
# From so many CSVs on a second core gains more than a second child costs, which is 20 ms.
_WORTH_TWO_CHILDREN = 64

Ladders = tuple[tuple[LadderMember, ...], tuple[Finding, ...]]


class LimitedUploadReader(UploadReader):
    """Each file gets a child of its own: one that exceeds the limits costs its own findings alone."""

    def __init__(self, process: LimitedProcess, limits: UploadLimits) -> None:
        self._process = process
        self._limits = limits

    async def inspect(self, upload: Upload) -> InspectedUpload:
        """Read template and archive, then every CSV that the template names; the comments meanwhile."""
        comments, (template, archive, comparison, (ladders, problems)) = await both(
            self._read_comments(upload.comments), self._read_program(upload)
        )
        attached = [await self._check_attachment(kind, file) for kind, file in upload.attachments.items()]
        findings = (*template.findings, *comments.findings, *archive.findings, *comparison.findings, *problems)
        return InspectedUpload(
            template=template.template,
            comments=comments.comments,
            ladders=ladders if template.template.logics else (),
            findings=presented((*findings, *filter(None, attached))),
        )

    async def _read_program(self, upload: Upload) -> tuple[TemplateReading, LadderArchive, Comparison, Ladders]:
        template, archive = await both(self._read_template(upload.template), self._read_archive(upload.ladder_zip))
        comparison = await self._compare(template, archive, upload.template.name)
        return template, archive, comparison, await self._read_ladders(comparison.named, upload.ladder_zip)

    async def _read_template(self, upload: SpooledFile) -> TemplateReading:
        try:
            return await self._process.run(read_template_file, upload, self._limits)
        except ResourceLimitError as error:
            return TemplateReading(findings=(killed(error, Section.TEMPLATE, upload.name),))

    async def _read_comments(self, upload: SpooledFile | None) -> CommentReading:
        if upload is None:
            return CommentReading()
        try:
            return await self._process.run(read_comment_file, upload, self._limits)
        except ResourceLimitError as error:
            return CommentReading(findings=(killed(error, Section.COMMENT_FILE, upload.name),))

    async def _check_attachment(self, kind: DocumentType, upload: SpooledFile) -> Finding | None:
        try:
            return await self._process.run(check_attachment, upload, ATTACHMENTS[kind])
        except ResourceLimitError as error:
            return killed(error, Section.ATTACHMENT, upload.name)

    async def _read_archive(self, upload: SpooledFile) -> LadderArchive:
        try:
            return await self._process.run(read_zip_directory, upload, self._limits)
        except ResourceLimitError as error:
            finding = killed(error, Section.LADDER_ZIP, upload.name)
            return LadderArchive(findings=(finding,), is_trustworthy=False)

    async def _compare(self, template: TemplateReading, archive: LadderArchive, template_name: str) -> Comparison:
        try:
            return await self._process.run(compare_with_template, template.template, archive, template_name)
        except ResourceLimitError as error:
            return Comparison(named=(), findings=(killed(error, Section.TEMPLATE_AGAINST_ZIP, template_name),))

    async def _read_ladders(self, named: Sequence[NamedCsv], upload: SpooledFile) -> Ladders:
        middle = len(named) // 2 if len(named) >= _WORTH_TWO_CHILDREN else len(named)
        halves = (named[:middle], named[middle:])
        read = await together(*(self._read_in_one_child(half, upload) for half in halves if half))
        outcomes = [outcome for half in read for outcome in half]
        ladders = tuple(outcome for outcome in outcomes if isinstance(outcome, LadderMember))
        findings = tuple(outcome for outcome in outcomes if isinstance(outcome, Finding))
        unread = tuple(
            killed(outcome, Section.LADDER_CSV, one.csv.path)
            for one, outcome in zip(named, outcomes, strict=True)
            if isinstance(outcome, ResourceLimitError)
        )
        return ladders, findings + unread

    async def _read_in_one_child(
        self, named: Sequence[NamedCsv], upload: SpooledFile
    ) -> list[LadderMember | Finding | ResourceLimitError]:
        return await self._process.each(read_named_ladders, named, upload, self._limits, most_failures=_MOST_KILLED)


def killed(error: ResourceLimitError, section: Section, file_name: str) -> Finding:
    """The finding about a file that a child died of."""
    return Finding(
        section=section,
        code="resource_limit",
        file=file_name,
        message=told("the file could not be read within the limits: {reason}", reason=error.message),
        hint=told("Export or save the file again, smaller; no file that the PLC tools write needs so much."),
    )
