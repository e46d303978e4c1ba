"""What a limited child does with a further document at its upload: all that indexing will do, and keeps nothing."""

from adapters.plc_files.file_look import look_at_document
from adapters.plc_files.further_passages import read_passages
from adapters.plc_files.workbook_problems import WorkbookProblem
from domain.findings import Finding, Section
from domain.ladder.table import TableError
from domain.told import told
from domain.upload import SpooledFile, UploadLimits

# Where the readers of programs' own files say what should be left out of those.
_TO_BE_SPLIT = frozenset({"csv_too_large", "xlsx_too_large"})


def check_document(file: SpooledFile, limits: UploadLimits) -> Finding | None:
    """What is wrong with it; None where it can be indexed."""
    if finding := look_at_document(file, limits):
        return finding
    try:
        read_passages(file.path.read_bytes(), file.name, limits)
    except (TableError, WorkbookProblem) as error:
        return Finding(
            section=Section.DOCUMENT,
            code=error.code,
            file=file.name,
            row=error.row,
            message=error.message,
            hint=told("Split the document and send its parts.") if error.code in _TO_BE_SPLIT else error.hint,
        )
    return None
