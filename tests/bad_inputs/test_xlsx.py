"""Cases 63 to 81: workbooks that lie, explode, reach out or hold what is no template."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from bad_inputs.target import MEBIBYTE, Sent, Target, upload
from bad_inputs.test_zip import zeros_packed
from builders.archives import Entry, a_zip
from builders.workbooks import (
    HEADER,
    SHEET_PART,
    Cell,
    a_template,
    an_ole2,
    an_xls,
    an_xlsx,
    from_parts,
    logic_row,
    relations,
    shared_strings,
    sheet_of,
    sheet_with,
    workbook,
    xlsx_parts,
)

ROWS: Sequence[Sequence[Cell]] = [HEADER, logic_row("0000_11")]
GOOD_PARTS = xlsx_parts(ROWS)
HEADER_XML = sheet_of([HEADER]).partition("<sheetData>")[2].partition("</sheetData>")[0]
GOOD_ROW_XML = sheet_of(ROWS).partition('<row r="2">')[2].partition("</sheetData>")[0]


def template(content: bytes, name: str = "template.xlsx") -> Sent:
    return upload(template=content, template_name=name)


def with_part(name: str, part: str | bytes) -> Sent:
    """The good workbook with this part besides, or instead."""
    return template(from_parts(GOOD_PARTS | {name: part}))


def with_row(row_xml: str, name: str = "template.xlsx") -> Sent:
    """The good header, then this XML."""
    return template(an_xlsx(sheet=sheet_with(HEADER_XML + row_xml)), name)


def with_doctype(doctype: str, part: str = SHEET_PART, use: str = "") -> Sent:
    whole = GOOD_PARTS[part]
    assert isinstance(whole, str)
    declaration, _, rest = whole.partition("\n")
    return template(from_parts(GOOD_PARTS | {part: f"{declaration}{doctype}{rest.replace('Unit01', f'Unit01{use}')}"}))


def with_bulky_part(name: str, mebibytes: int) -> Sent:
    """A part of so many MiB of zeros, packed small."""
    return template(a_bulky_workbook(name, mebibytes))


def a_bulky_workbook(name: str, mebibytes: int) -> bytes:
    entries = [
        Entry(name=part.encode(), content=text.encode() if isinstance(text, str) else text)
        for part, text in GOOD_PARTS.items()
        if part != name and text is not None
    ]
    size = {"size_bytes": mebibytes * MEBIBYTE}
    bulky = Entry(name=name.encode(), packed=zeros_packed(mebibytes), local=size, central=size)
    return a_zip(*entries, bulky)


def test_063_ole2(target: Target) -> None:
    encrypted = an_ole2({"EncryptionInfo": b"x", "EncryptedPackage": b"y"})
    target.refuses(63, template(encrypted))
    target.refuses(63, template(an_ole2({"WordDocument": b"x"}), "letter.xls"))
    target.accepts(63, template(an_xls(ROWS), "template.xls"))


def test_064_macros_and_binary_workbooks(target: Target) -> None:
    target.refuses(64, template(a_template("0000_11"), "template.xlsm"))
    target.refuses(64, template(a_template("0000_11"), "template.xlsb"))
    target.refuses(64, with_part("xl/vbaProject.bin", b"x"))


@pytest.mark.parametrize("missing", ["[Content_Types].xml", "xl/workbook.xml", SHEET_PART])
def test_065_a_missing_part(target: Target, missing: str) -> None:
    target.refuses(65, template(from_parts(GOOD_PARTS | {missing: None})))


def test_066_billion_laughs(target: Target) -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    target.refuses(66, with_doctype(f'<!DOCTYPE x [<!ENTITY l0 "lol">{levels}]>', use="&l9;"), is_bomb=True)


def test_067_quadratic_blow_up(target: Target) -> None:
    entity = "a" * 50_000
    sent = with_doctype(f'<!DOCTYPE x [<!ENTITY a "{entity}">]>', use="&a;" * 140)
    target.refuses(67, sent, is_bomb=True)


def test_068_external_entities_are_never_fetched(target: Target) -> None:
    with a_listener() as (port, callers):
        for address in (f"http://127.0.0.1:{port}/x", "file:///etc/passwd"):
            target.refuses(68, with_doctype(f'<!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]>', use="&e;"))
            target.refuses(68, with_doctype(f'<!DOCTYPE x SYSTEM "{address}">', "xl/workbook.xml"))
        assert callers == []


def test_069_declarations_and_links(target: Target) -> None:
    target.refuses(69, with_doctype("<!DOCTYPE x>"))
    with a_listener() as (port, callers):
        include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://127.0.0.1:{port}/"/>'
        target.accepts(69, template(an_xlsx(sheet=sheet_of(ROWS).replace("</worksheet>", f"{include}</worksheet>"))))
        linked = relations(["worksheets/sheet1.xml"]).replace(
            "</Relationships>",
            f'<Relationship Id="rId9" Type="x/externalLink" Target="http://127.0.0.1:{port}/" TargetMode="External"/>'
            "</Relationships>",
        )
        target.accepts(69, template(from_parts(GOOD_PARTS | {"xl/_rels/workbook.xml.rels": linked})))
        assert callers == []


def test_070_a_dimension_that_claims_the_whole_sheet(target: Target) -> None:
    huge = sheet_of(ROWS).replace('ref="A1"', 'ref="A1:XFD1048576"')
    registered = target.accepts(70, template(an_xlsx(sheet=huge)))
    assert len([each for each in registered["documents"] if each["logic_id"]]) == 1


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="99999999"><c r="A99999999"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="0"><c r="A0"><v>1</v></c></row>', "xlsx_corrupt"),
        ('<row r="2"><c r="ZZZZ2"><v>1</v></c></row>', "xlsx_corrupt"),
    ],
)
def test_071_a_cell_at_the_end_of_the_world(target: Target, row: str, code: str) -> None:
    target.refuses(71, with_row(row), code, is_bomb=True)


def test_072_rows_without_numbers_or_out_of_order(target: Target) -> None:
    plain = sheet_of(ROWS)
    for row in (1, 2):
        plain = plain.replace(f' r="{row}"', "")
        for column in "ABCDE":
            plain = plain.replace(f' r="{column}{row}"', "")
    target.accepts(72, template(an_xlsx(sheet=plain)))
    target.refuses(72, with_row('<row r="3"/><row r="2"/>'))
    target.refuses(72, with_row('<row r="2"/><row r="2"/>'))


@pytest.mark.parametrize("index", ["0", "1", "-1", "99999999999", "x"])
def test_073_a_shared_text_that_is_not_there(target: Target, index: str) -> None:
    body = target.refuses(73, with_row(f'<row r="2"><c r="D2" t="s"><v>{index}</v></c></row>'))
    assert "D2" in body["detail"]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="D2"><v>eleven</v></c>',
        '<c r="D2"><v>1e999</v></c>',
        '<c r="D2"><v>NaN</v></c>',
        '<c r="D2" t="d"><v>31.02.2024</v></c>',
    ],
)
def test_074_a_number_or_date_that_is_none(target: Target, cell: str) -> None:
    body = target.refuses(74, with_row(f'<row r="2">{cell}</row>'))
    assert "D2" in body["detail"]


@pytest.mark.parametrize(
    ("serial", "is_1904", "shown"),
    [("61", False, "1900-03-01"), ("45000", False, "2023-03-15"), ("45000", True, "2027-03-16")],
)
def test_074_dates_of_both_epochs(target: Target, serial: str, is_1904: bool, shown: str) -> None:  # noqa: FBT001 - by place
    registered = target.accepts(74, template(with_a_date(serial, is_1904=is_1904)))
    assert target.logic_name_in(registered["pgm_id"]) == shown


@pytest.mark.parametrize("serial", ["60", "59", "1"])
def test_074_the_29_february_1900_and_what_lies_before_it(target: Target, serial: str) -> None:
    assert "E2" in target.refuses(74, template(with_a_date(serial, is_1904=False)))["detail"]


def test_075_bulk_that_packs_small(target: Target) -> None:
    target.refuses(75, with_bulky_part(SHEET_PART, 100), is_bomb=True)
    target.refuses(75, with_bulky_part("xl/sharedStrings.xml", 100), is_bomb=True)
    target.refuses(75, with_bulky_part("xl/media/image1.png", 100), is_bomb=True)


def test_075_a_tag_of_megabytes(target: Target) -> None:
    """Seconds, to whoever looks at it from its beginning whenever more of it has come."""
    text = "".join(f"a{number:06x}" for number in range(3 * MEBIBYTE))
    for part in (f"<!-- {text} --><worksheet/>", f"<worksheet a='{text}'/>"):
        target.refuses(75, with_part(SHEET_PART, part))


def test_076_a_shared_text_of_megabytes(target: Target) -> None:
    text = "".join(f"{number:07}" for number in range(MEBIBYTE // 2))
    target.refuses(76, with_part("xl/sharedStrings.xml", shared_strings([text])), "cell_too_long")
    target.refuses(76, template(an_xlsx([HEADER, logic_row("x" * 40_000)])), "cell_too_long")
    target.refuses(76, with_bulky_part("xl/sharedStrings.xml", 50), "xlsx_too_large", is_bomb=True)


@pytest.mark.parametrize("error", ["#REF!", "#N/A"])
def test_077_error_values_are_blank(target: Target, error: str) -> None:
    row = GOOD_ROW_XML.replace(
        '<c r="E2" t="inlineStr"><is><t xml:space="preserve">Main</t></is></c>', f'<c r="E2" t="e"><v>{error}</v></c>'
    )
    assert error in row
    registered = target.accepts(77, with_row(f'<row r="2">{row}'))
    assert target.logic_name_in(registered["pgm_id"]) == ""


def test_078_formulas_are_text_and_never_run(target: Target) -> None:
    with a_listener() as (port, callers):
        texts = [f"=cmd|'/c calc'!A0{port}", f'=WEBSERVICE("http://127.0.0.1:{port}/")', "=HYPERLINK(1)", "@SUM(1)"]
        for text in texts:
            registered = target.accepts(78, template(an_xlsx([HEADER, logic_row("0000_11", text)])))
            assert target.logic_name_in(registered["pgm_id"]) == text
        formula = f'<row r="2">{GOOD_ROW_XML}'.replace(
            '<c r="E2" t="inlineStr"><is><t xml:space="preserve">Main</t></is></c>',
            f'<c r="E2"><f>WEBSERVICE("http://127.0.0.1:{port}/")</f></c>',
        )
        registered = target.accepts(78, with_row(formula))
        assert target.logic_name_in(registered["pgm_id"]) == ""
        assert callers == []


def test_079_sheets_and_rows_that_are_hidden_or_merged(target: Target) -> None:
    many = [(f"S{number}", "visible") for number in range(300)]
    target.refuses(79, with_part("xl/workbook.xml", workbook(many)))
    hidden_first = GOOD_PARTS | {
        "xl/workbook.xml": workbook([("List", "hidden"), ("Template", "visible")]),
        "xl/_rels/workbook.xml.rels": relations(["worksheets/list.xml", "worksheets/sheet1.xml"]),
        "xl/worksheets/list.xml": sheet_of([["nothing"]]),
    }
    target.accepts(79, template(from_parts(hidden_first)))
    merged = sheet_of(ROWS).replace("</worksheet>", '<mergeCells><mergeCell ref="A2:B2"/></mergeCells></worksheet>')
    target.accepts(79, template(an_xlsx(sheet=merged.replace('<row r="2">', '<row r="2" hidden="1">'))))


@pytest.mark.parametrize("header", [HEADER[:3], (*HEADER, "logic  id"), (" ", "", None), (*HEADER, "Logic ID")])
def test_080_a_header_that_is_none(target: Target, header: Sequence[Cell]) -> None:
    body = target.refuses(80, template(an_xlsx([header, logic_row("0000_11")])))
    assert "Logic ID" in body["detail"]


@pytest.mark.parametrize(
    "sheet",
    [
        sheet_of(ROWS)[:-40],
        sheet_of(ROWS).replace('version="1.0"', 'version="1.1"'),
        sheet_of(ROWS).replace("UTF-8", "UTF-16").encode("utf-16"),
        sheet_of(ROWS).encode().replace(b"Unit01", b"Unit\xff1"),
    ],
)
def test_081_xml_that_breaks_off_or_is_of_another_kind(target: Target, sheet: str | bytes) -> None:
    target.refuses(81, template(from_parts(GOOD_PARTS | {SHEET_PART: sheet})))


def with_a_date(serial: str, *, is_1904: bool) -> bytes:
    """The good template, its logic named by a date."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    styles = (
        f'<?xml version="1.0"?>\n<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    book = workbook([("Sheet1", "visible")])
    if is_1904:
        book = book.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    row = GOOD_ROW_XML.replace(
        '<c r="E2" t="inlineStr"><is><t xml:space="preserve">Main</t></is></c>', f'<c r="E2" s="1"><v>{serial}</v></c>'
    )
    linked = relations(["worksheets/sheet1.xml"]).replace(
        "</Relationships>",
        '<Relationship Id="rId9" Target="styles.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/></Relationships>',
    )
    return from_parts(
        GOOD_PARTS
        | {
            "xl/workbook.xml": book,
            "xl/styles.xml": styles,
            "xl/_rels/workbook.xml.rels": linked,
            SHEET_PART: sheet_with(f'{HEADER_XML}<row r="2">{row}'),
        }
    )


@contextmanager
def a_listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and whoever called it."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                connection.close()
                callers.append(address)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], callers
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
