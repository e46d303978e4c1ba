"""The template as an Excel workbook, .xlsx or legacy .xls, read inside a limited child process only.

What a cell becomes: text verbatim; whole numbers without `.0`; TRUE and FALSE; dates in ISO form; error values such
as #N/A and formulas without a stored value blank; formulas are never evaluated. Of merged cells the first holds the
value. Hidden rows are read; the first visible worksheet is the template.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time, timedelta
from os import SEEK_END
from pathlib import Path, PurePath
from typing import BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from adapters.plc_files.file_look import OLE2_SIGNATURE
from adapters.plc_files.ole2 import holds_workbook
from adapters.plc_files.template_sheet import TemplateReading, read_template_rows
from adapters.plc_files.workbook_look import MOST_CELLS, MOST_SHEETS, find_first_sheet, find_sheets, letters_of
from adapters.plc_files.workbook_problems import (
    WorkbookProblem,
    cell_invalid,
    corrupt,
    mismatched,
    protected,
    too_large,
)
from domain.findings import Finding, Section
from domain.told import told
from domain.upload import UploadLimits

_Cell = float | str | time | date | timedelta  # int is a float to a type checker, bool an int, datetime a date
_Find = Callable[[BinaryIO, int, UploadLimits], list[str]]
_EXACT_BELOW = 10**15
_FIRST_TRUE_MONTH = (1900, 3)


def read_template(path: Path, file_name: str, limits: UploadLimits) -> TemplateReading:
    """Read the workbook at `path`; all that is wrong with it comes back as findings."""
    try:
        with path.open("rb") as file:
            rows = list(_rows(file, PurePath(file_name).suffix.lower(), limits))
    except WorkbookProblem as problem:
        return TemplateReading(findings=(_finding(problem, file_name),))
    return read_template_rows(rows, file_name=file_name, limits=limits)


def _finding(problem: WorkbookProblem, file_name: str) -> Finding:
    return Finding(
        section=Section.TEMPLATE,
        code=problem.code,
        file=file_name,
        row=problem.row,
        message=problem.message,
        hint=problem.hint,
    )


def sheets_of(file: BinaryIO, suffix: str, limits: UploadLimits) -> Iterator[tuple[str, list[list[str]]]]:
    """Name and rows of every visible worksheet of any workbook. Raises WorkbookProblem."""
    wanted = _check(file, suffix, limits, find=find_sheets)
    file.seek(0)
    with _translated_errors(), CalamineWorkbook.from_filelike(file) as workbook:
        cells = 0
        for name in wanted or _visible(workbook):
            sheet = workbook.get_sheet_by_name(name)
            cells += sheet.total_height * sheet.width
            if cells > MOST_CELLS or sheet.total_height > limits.rows:
                raise too_large(told("sheet {sheet} has {rows:,} rows", sheet=name, rows=sheet.total_height))
            yield name, [[_text(cell) for cell in row] for row in sheet.iter_rows()]


def _rows(file: BinaryIO, suffix: str, limits: UploadLimits) -> Iterator[list[str]]:
    wanted = _check(file, suffix, limits, find=_first_alone)
    file.seek(0)
    with _translated_errors(), CalamineWorkbook.from_filelike(file) as workbook:
        sheet = workbook.get_sheet_by_name((wanted or _visible(workbook))[0])
        if sheet.total_height * sheet.width > MOST_CELLS or sheet.total_height > limits.rows:
            raise too_large(
                told(
                    "its sheet has {rows:,} rows and {columns:,} columns", rows=sheet.total_height, columns=sheet.width
                )
            )
        for number, row in enumerate(sheet.iter_rows(), start=1):
            _refuse_made_up_dates(row, number)
            yield [_text(cell) for cell in row]


def _first_alone(file: BinaryIO, file_bytes: int, limits: UploadLimits) -> list[str]:
    return [find_first_sheet(file, file_bytes, limits)]


def _check(file: BinaryIO, suffix: str, limits: UploadLimits, *, find: _Find) -> list[str] | None:
    """Look before anything is loaded; name the sheets where the look can tell."""
    is_ole2 = file.read(len(OLE2_SIGNATURE)) == OLE2_SIGNATURE
    if is_ole2 and not holds_workbook(file):
        raise protected()
    if is_ole2 != (suffix == ".xls"):
        raise mismatched()
    return None if is_ole2 else find(file, file.seek(0, SEEK_END), limits)


def _visible(workbook: CalamineWorkbook) -> list[str]:
    sheets = workbook.sheets_metadata
    if len(sheets) > MOST_SHEETS:
        raise too_large(told("it has more than {most} sheets", most=MOST_SHEETS))
    visible = [
        sheet.name
        for sheet in sheets
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet
    ]
    if not visible:
        raise corrupt(told("it has no visible worksheet"))
    return visible


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except PasswordError as error:
        raise protected() from error
    except (CalamineError, OSError, ValueError) as error:
        raise corrupt(told("it cannot be read")) from error
    except BaseException as error:
        # A panic inside the library arrives as a BaseException that cannot be imported by name.
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise corrupt(told("it cannot be read")) from error


def _refuse_made_up_dates(row: Sequence[_Cell], number: int) -> None:
    """Excel's calendar has a 29 February 1900, and libraries differ about the days before it."""
    for column, cell in enumerate(row, start=1):
        if isinstance(cell, date) and (cell.year, cell.month) < _FIRST_TRUE_MONTH:
            raise cell_invalid(f"{letters_of(column)}{number}", row=number)


def _text(cell: _Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT_BELOW:
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
