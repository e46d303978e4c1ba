"""What can be wrong with a template workbook as a file: stable codes, one sentence, and the remedy."""

from adapters.plc_files.archive_problems import ArchiveProblem
from domain.told import Told, told

_SAVE_AGAIN = told("Open it in Excel, save it as a new .xlsx and send that.")
_TOO_LARGE = frozenset({"zip_bomb", "zip_too_many_entries", "zip_name_too_long"})


class WorkbookProblem(Exception):  # noqa: N818 - it becomes a finding, it is no failure of ours
    """The one reason why a workbook cannot be read. `row` counts from 1 where one row is meant."""

    def __init__(self, code: str, message: Told, *, hint: Told, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.row = row


def corrupt(reason: Told, *, row: int | None = None) -> WorkbookProblem:
    """The workbook contradicts itself or breaks off."""
    message = told("the workbook is damaged: {reason}", reason=reason)
    return WorkbookProblem("xlsx_corrupt", message, hint=_SAVE_AGAIN, row=row)


def too_large(reason: Told, *, row: int | None = None) -> WorkbookProblem:
    """More than the limits allow."""
    return WorkbookProblem(
        "xlsx_too_large",
        told("the workbook is too large: {reason}", reason=reason),
        hint=told("Keep one small sheet with the rows of the template; delete empty formatted rows and columns."),
        row=row,
    )


def forbidden_xml(part: str) -> WorkbookProblem:
    """A document type declaration, which no office program writes."""
    message = told("part {part} of the workbook declares a document type", part=part)
    return WorkbookProblem("xml_forbidden", message, hint=_SAVE_AGAIN)


def protected() -> WorkbookProblem:
    """Encrypted, or an OLE2 file that is no workbook."""
    return WorkbookProblem(
        "xlsx_encrypted_or_legacy",
        told("the workbook is protected by a password, or it is no workbook"),
        hint=told("Remove the password in Excel and save it as .xlsx."),
    )


def mismatched() -> WorkbookProblem:
    """An archive or an OLE2 file under the wrong suffix."""
    return WorkbookProblem(
        "type_mismatch",
        told("the file's content is not that of a workbook of this kind"),
        hint=told("Save it again from Excel, instead of renaming it."),
    )


def with_macros() -> WorkbookProblem:
    """A macro or binary workbook under the suffix .xlsx."""
    message = told("workbooks with macros and binary workbooks are not read")
    return WorkbookProblem("type_unsupported", message, hint=told("Save it as .xlsx."))


def cell_invalid(place: str, *, row: int) -> WorkbookProblem:
    """A number or date that is none."""
    message = told("cell {cell} holds a number or date that is none", cell=place)
    return WorkbookProblem("cell_invalid", message, hint=told("Type it again."), row=row)


def cell_too_long(place: Told, most: int, *, row: int | None = None) -> WorkbookProblem:
    """More text than Excel itself allows."""
    message = told("{place} holds more than {most:,} characters", place=place, most=most)
    return WorkbookProblem("cell_too_long", message, hint=told("Shorten the text."), row=row)


def of_its_archive(problem: ArchiveProblem) -> WorkbookProblem:
    """A workbook is a ZIP: what is wrong with that, in a workbook's words."""
    if problem.code == "zip_encrypted":
        return protected()
    return too_large(problem.message) if problem.code in _TOO_LARGE else corrupt(problem.message)
