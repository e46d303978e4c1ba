"""Hostile further documents: taken whole, or refused under a listed code, and never more than that."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.plc_files.document_check import check_document
from builders.further import MARKDOWN, OF_EACH_KIND, TABLE, a_workbook
from builders.pdfs import a_page, a_pdf, pdf_stream
from builders.workbooks import an_xls, an_xlsx
from domain.findings import Finding
from domain.upload import SpooledFile, UploadLimits
from entrypoints.api.codes import FINDINGS, REQUESTS

MOST_BYTES = 4_096
SMALL = {
    "a.md": MARKDOWN,
    "a.csv": TABLE.encode("cp949"),
    "a.txt": "비상 정지\n\nX0".encode("utf-16"),
    "a.pdf": a_pdf("비상 정지"),
    "a.xlsx": an_xlsx([("a", "b"), (1, 2)]),
}


def check(folder: Path, name: str, content: bytes, limits: UploadLimits | None = None) -> Finding | None:
    path = folder / "spooled"
    path.write_bytes(content)
    return check_document(SpooledFile(name=name, path=path, size_bytes=len(content)), limits or UploadLimits())


def code(folder: Path, name: str, content: bytes, limits: UploadLimits | None = None) -> str:
    finding = check(folder, name, content, limits)
    return finding.code if finding else ""


def cuts(content: bytes, *, every: int = 1) -> Iterator[bytes]:
    assert len(content) < MOST_BYTES
    return (content[:length] for length in range(0, len(content), every))


@pytest.mark.parametrize("name", SMALL)
def test_a_document_that_breaks_off_anywhere_is_taken_or_refused_under_a_listed_code(tmp_path: Path, name: str) -> None:
    assert code(tmp_path, name, SMALL[name]) == ""
    every = 3 if name == "a.xlsx" else 1  # its reader is cut at every byte in test_truncated_files.py
    codes = {code(tmp_path, name, cut) for cut in cuts(SMALL[name], every=every)}
    assert codes - {""} <= FINDINGS.keys() | REQUESTS.keys()
    assert "file_empty" in codes


def test_an_xls_that_breaks_off_is_taken_or_refused(tmp_path: Path) -> None:
    content = an_xls([("a", "b"), (1, 2)])
    codes = {code(tmp_path, "a.xls", content[:length]) for length in range(0, len(content), 7)}
    assert codes - {""} <= FINDINGS.keys()


@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_each_kind_is_taken(tmp_path: Path, name: str) -> None:
    assert check(tmp_path, name, OF_EACH_KIND[name]) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", a_workbook()),
        ("a.pdf", b"PK\x03\x04 %PDF-1.7"),
        ("a.pdf", b"plain text"),
        ("a.xlsx", a_pdf("x")),
        ("a.xlsx", b"a,b\n1,2\n"),
        ("a.xls", a_workbook()),
        ("a.xls", b"<html><table>"),
        ("a.csv", a_workbook()),
        ("a.txt", a_pdf("x")),
        ("a.md", an_xls([("a",)])),
        ("a.xlsx", an_xls([("a",)])),
    ],
)
def test_a_document_of_another_kind_than_its_name_says_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert code(tmp_path, name, content) == "type_mismatch"


@pytest.mark.parametrize("name", ["a.docx", "a.html", "a.xlsm", "a", "a.pdf.exe", "a.zip"])
def test_other_endings_are_not_read(tmp_path: Path, name: str) -> None:
    assert code(tmp_path, name, MARKDOWN) == "type_unsupported"


def test_a_document_above_its_limit_is_refused(tmp_path: Path) -> None:
    assert code(tmp_path, "a.txt", b"x" * 11, UploadLimits(document_bytes=10)) == "too_large"
    assert code(tmp_path, "a.txt", b"x" * 10, UploadLimits(document_bytes=10)) == ""


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    out = io.BytesIO(a_workbook())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * 40_000_000)
    assert code(tmp_path, "a.xlsx", out.getvalue()) == "xlsx_too_large"


def test_far_cells_of_any_sheet_are_refused_before_a_library_allocates_them(tmp_path: Path) -> None:
    content = a_workbook({"ok": (("a", "b"), (1, 2)), "far": ((), *[(None,)] * 9)})
    assert code(tmp_path, "a.xlsx", content) == ""
    far = _with_part(content, "xl/worksheets/sheet2.xml", b'<row r="9"><c r="XFD9"><v>1</v></c></row>')
    assert code(tmp_path, "a.xlsx", far) == "xlsx_too_large"


def test_sheets_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    content = a_workbook({"one": (("a", "b"), (1, 2)), "two": (("a", "b"), (1, 2))})
    for number in (1, 2):
        wide = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="150000"><c r="J150000"><v>1</v></c></row>'
        content = _with_part(content, f"xl/worksheets/sheet{number}.xml", wide)
    assert code(tmp_path, "a.xlsx", content) == "xlsx_too_large"


@pytest.mark.parametrize("kids", ["2 0 R", "5 0 R 2 0 R", "99 0 R", "5 0 R 5 0 R"])
def test_a_page_tree_that_leads_nowhere_or_in_circles_ends(tmp_path: Path, kids: str) -> None:
    content = a_pdf("text").replace(b"/Kids [5 0 R]", f"/Kids [{kids}]".encode())
    assert code(tmp_path, "a.pdf", content) in {"", "pdf_corrupt", "document_without_text", "document_too_long"}


def test_brackets_without_end_are_no_crash(tmp_path: Path) -> None:
    content = a_pdf("text").replace(b"/MediaBox [0 0 595 842]", b"/MediaBox " + b"[" * 20_000)
    assert code(tmp_path, "a.pdf", content) in {"", "pdf_corrupt", "document_without_text"}


def test_a_stream_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = zlib.compress(b"0" * 200_000_000, 9)
    text = zlib.compress(b"x")
    content = a_pdf("text")
    start = content.index(b"stream\n", content.index(b"6 0 obj")) + len(b"stream\n")
    end = content.index(b"\nendstream", start)
    assert len(text) < len(bomb)
    assert code(tmp_path, "a.pdf", content[:start] + bomb + content[end:]) == "resource_limit"


def test_a_page_of_ten_kilobytes_that_unpacks_to_megabytes_is_refused(tmp_path: Path) -> None:
    content = a_page(pdf_stream(b" " * 8_000_000))
    assert len(content) < 10_000
    assert code(tmp_path, "a.pdf", content) == "resource_limit"


def test_a_stream_that_many_pages_show_counts_for_each(tmp_path: Path) -> None:
    content = a_page(
        pdf_stream(b"BT /F1 12 Tf (word) Tj ET" + b" " * 100_000), pages=f"/Kids [{'4 0 R ' * 50}] /Count 50"
    )
    assert code(tmp_path, "a.pdf", content) == "resource_limit"


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (b"a\0b", "csv_invalid"),
        ("a\ufdd0b".encode(), "text_invalid"),
        (b"\xff\xfe\x00\xd8a\x00", "text_invalid"),
        (b"abc \xff\xff\xff", "csv_encoding"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, refused: str) -> None:
    assert code(tmp_path, "a.txt", content) == refused


def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path: Path) -> None:
    finding = check(tmp_path, "a.csv", b'a,b\n1,"2\n3,4\n')
    assert finding
    assert (finding.code, finding.row) == ("csv_invalid", 2)


def test_more_text_than_is_indexed_is_refused_and_not_cut(tmp_path: Path) -> None:
    lines = "".join(f"{'x' * 300} {number}\n\n" for number in range(10_001))
    assert code(tmp_path, "a.txt", lines.encode()) == "document_too_long"


def _with_part(content: bytes, part: str, rows: bytes) -> bytes:
    """The workbook with other rows in a sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            held = source.read(name)
            if name == part:
                held = held.partition(b"<sheetData")[0] + b"<sheetData>" + rows + b"</sheetData></worksheet>"
            target.writestr(name, held)
    return out.getvalue()
