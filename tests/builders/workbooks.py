"""Workbooks for tests, part by part: templates as people make them, and ones that lie in exactly one place."""

import struct
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from builders.archives import a_zip_of

HEADER = ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_PART = "xl/worksheets/sheet1.xml"

Cell = str | float | None


def logic_row(logic_id: Cell, name: str = "Main") -> tuple[Cell, ...]:
    return (0, "Unit01_이송부", "Assy11", logic_id, name)


def a_template(*logic_ids: Cell) -> bytes:
    """A good template of these logics."""
    return an_xlsx([HEADER, *(logic_row(logic_id, f"Logic {logic_id}") for logic_id in logic_ids)])


def an_xlsx(rows: Sequence[Sequence[Cell]] = (), *, sheet: str | None = None, **parts: str | bytes | None) -> bytes:
    """An .xlsx; `sheet` replaces the sheet's XML, `parts` (with `__` for `/` and `_xml` for `.xml`) others."""
    return from_parts(xlsx_parts(rows, sheet=sheet) | {_part_name(name): part for name, part in parts.items()})


def from_parts(parts: dict[str, str | bytes | None]) -> bytes:
    """Pack parts; those that are None are left out."""
    return a_zip_of(
        {name: part.encode() if isinstance(part, str) else part for name, part in parts.items() if part is not None}
    )


def xlsx_parts(rows: Sequence[Sequence[Cell]] = (), *, sheet: str | None = None) -> dict[str, str | bytes | None]:
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": relations(["xl/workbook.xml"], kind="officeDocument"),
        "xl/workbook.xml": workbook([("Sheet1", "visible")]),
        "xl/_rels/workbook.xml.rels": relations(["worksheets/sheet1.xml"]),
        SHEET_PART: sheet if sheet is not None else sheet_of(rows),
    }


def workbook(sheets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}" state="{state}"/>'
        for number, (name, state) in enumerate(sheets, start=1)
    )
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'


def relations(targets: Sequence[str], kind: str = "worksheet") -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, target in enumerate(targets, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def sheet_of(rows: Sequence[Sequence[Cell]]) -> str:
    return sheet_with(
        "".join(
            f'<row r="{number}">{"".join(_cell(cell, column, number) for column, cell in enumerate(row))}</row>'
            for number, row in enumerate(rows, start=1)
        )
    )


def sheet_with(rows_xml: str, *, dimension: str = "A1") -> str:
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><dimension ref="{dimension}"/><sheetData>{rows_xml}</sheetData></worksheet>'
    )


def shared_strings(texts: Sequence[str]) -> str:
    return f'{_XML}<sst xmlns="{_MAIN}">{"".join(f"<si><t>{escape(text)}</t></si>" for text in texts)}</sst>'


def _cell(cell: Cell, column: int, row: int) -> str:
    place = f"{chr(ord('A') + column)}{row}"
    if cell is None:
        return f'<c r="{place}"/>'
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def _part_name(name: str) -> str:
    return name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin")


def an_xls(rows: Sequence[Sequence[Cell]]) -> bytes:
    """A minimal BIFF8 workbook with one sheet ([MS-XLS] 2.4: BOF, BoundSheet8, Label, Number, EOF)."""
    sheet = _record(0x0809, struct.pack("<4H2L", 0x0600, 0x0010, 0, 0, 0, 0))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                sheet += _record(0x0204, struct.pack("<3H", number, column, 0) + text)
            elif cell is not None:
                sheet += _record(0x0203, struct.pack("<3Hd", number, column, 0, cell))
    sheet += _record(0x000A, b"")
    start = _record(0x0809, struct.pack("<4H2L", 0x0600, 0x0005, 0, 0, 0, 0))
    name = b"\x06\x00Sheet1"
    length = len(start) + 4 + 6 + len(name) + 4
    boundary = _record(0x0085, struct.pack("<LBB", length, 0, 0) + name)
    return an_ole2({"Workbook": start + boundary + _record(0x000A, b"") + sheet})


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<2H", kind, len(content)) + content


def an_ole2(streams: dict[str, bytes]) -> bytes:
    """A compound file of 512-byte sectors; every stream is padded past the mini-stream cutoff."""
    free, end, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    links, body, entries = [fat_mark, end], b"", [_ole2_entry("Root Entry", 5, end, 0, child=1)]
    for number, (name, content) in enumerate(streams.items(), start=1):
        padded = content + bytes(max(4096, -(-len(content) // 512) * 512) - len(content))
        first, count = len(links), len(padded) // 512
        links += [*range(first + 1, first + count), end]
        body += padded
        entries.append(_ole2_entry(name, 2, first, len(padded), right=number + 1 if number < len(streams) else free))
    entries += [bytes(128)] * (4 - len(entries))
    links += [free] * (128 - len(links))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x9L", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109L", 0, *[free] * 108)
    return header + struct.pack("<128L", *links[:128]) + b"".join(entries) + body


def _ole2_entry(
    name: str, kind: int, first: int, length: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF
) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBB3L", len(encoded), kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<LQ", first, length)
    )
