"""Further documents for tests: one of each kind, with something to be found in it."""

import io
from collections.abc import Mapping

import openpyxl

from builders.forms import CONTENT_TYPE, a_form, part
from builders.pdfs import a_pdf
from builders.workbooks import an_xls

MARKDOWN = (
    "# 펌프 점검\n\n비상 정지는 X0 으로 한다.\n\n## Restart\n\nPress the reset button X7 after the alarm.\n".encode()
)
TEXT = "유압 유닛의 필터는 매월 교체한다.\n\nThe spindle chiller holds 22 degrees.\n".encode()
TABLE = "알람 목록,,\n,,\n코드,설명,온도\n,,℃\nE101,과열 정지,85\nE102,Motor overload,70\n"
ROWS = (
    ("펌프 사양서",),
    (),
    ("번호", "펌프", None, None, "비고"),
    (None, "유량", "압력", "온도", None),
    (None, "(L/min)", "bar", "℃", None),
    ("P-1", 120, 3.5, 40, "예비 급수"),
    ("P-2", 80, None, 35, "Cooling loop"),
)


def a_workbook(sheets: Mapping[str, tuple[tuple[object, ...], ...]] | None = None) -> bytes:
    """An .xlsx of these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in (sheets or {"펌프": ROWS}).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    book.close()
    return out.getvalue()


OF_EACH_KIND: Mapping[str, bytes] = {
    "점검.md": MARKDOWN,
    "notes.txt": TEXT,
    "알람.csv": TABLE.encode(),
    "펌프.xlsx": a_workbook(),
    "예비품.xls": an_xls([("부품", "수량"), ("베어링", 4), ("Drive belt", 2)]),
    "manual.pdf": a_pdf("냉각수 밸브를 잠근다.\nClose the coolant valve first.", "Grease the ball screw weekly."),
}


def a_document_form(name: str, content: bytes, **texts: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request that adds a document."""
    return a_form(part("file", content, name), texts=texts), {"Content-Type": CONTENT_TYPE}
