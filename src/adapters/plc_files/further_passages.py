"""Passages out of a further document's bytes, by its kind; inside a limited child process only."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePath

from adapters.plc_files.pdf_pages import pages_of
from adapters.plc_files.template_workbook import sheets_of
from adapters.plc_files.workbook_look import MOST_CELLS
from domain.further.passages import Passage, bounded, refuse_too_long
from domain.further.prose import prose_passages
from domain.further.tables import table_passages
from domain.ladder.table import TableError, decode_table, decode_text
from domain.told import told
from domain.upload import UploadLimits


def read_passages(content: bytes, name: str, limits: UploadLimits) -> tuple[Passage, ...]:
    """All passages of a document of this name. Raises TableError and WorkbookProblem."""
    return bounded(_passages(content, PurePath(name).suffix.lower(), limits))


def _passages(content: bytes, suffix: str, limits: UploadLimits) -> Iterator[Passage]:
    match suffix:
        case ".csv":
            _refuse_too_many_cells(content)
            yield from table_passages(decode_table(content).rows)
        case ".xlsx" | ".xls":
            for sheet, rows in sheets_of(BytesIO(content), suffix, limits):
                yield from table_passages(rows, sheet=sheet)
        case ".pdf":
            for number, text in enumerate(pages_of(content), start=1):
                yield from prose_passages(text, place=f"page {number}")
        case _:
            text = decode_text(content)
            refuse_too_long(text)
            yield from prose_passages(text, has_headings=suffix == ".md")


def _refuse_too_many_cells(content: bytes) -> None:
    """As of a workbook, before they are made: twenty megabytes of commas would be half a gigabyte of cells."""
    if max(map(content.count, (b",", b";", b"\t", b"|"))) + content.count(b"\n") > MOST_CELLS:
        raise TableError(
            "csv_too_large",
            told("it has more than {most:,} cells", most=MOST_CELLS),
            hint=told("Split the document and send its parts."),
        )
