"""Every workbook of the bad-input corpus gets exactly its code; good ones of every make are read."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.plc_files.template_sheet import TemplateReading
from adapters.plc_files.template_workbook import read_template
from adapters.plc_files.upload_jobs import read_template_file
from builders.archives import STORED, Entry, a_zip, a_zip_of
from builders.workbooks import (
    HEADER,
    SHEET_PART,
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
from domain.findings import Severity
from domain.upload import MEBIBYTE, SpooledFile, UploadLimits

LIMITS = UploadLimits()
ROWS = [HEADER, logic_row("0000_11"), logic_row("0001_11")]
BILLION_LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
QUADRATIC = f'<!DOCTYPE q [<!ENTITY a "{"a" * 50_000}">]>'
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>'
EXTERNAL_DTD = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
LISTED_CODES = {
    *("xlsx_corrupt", "xlsx_too_large", "xlsx_encrypted_or_legacy", "xml_forbidden", "cell_invalid", "cell_too_long"),
    *("type_mismatch", "type_unsupported", "header_invalid", "text_invalid", "logic_id_blank", "logic_id_duplicate"),
    *("template_empty", "column_ignored", "file_empty"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def reading(folder: Path, content: bytes, name: str = "template.xlsx") -> TemplateReading:
    path = folder / "spooled"
    path.write_bytes(content)
    return read_template_file(SpooledFile(name=name, path=path, size_bytes=len(content)), LIMITS)


def codes(folder: Path, content: bytes, name: str = "template.xlsx") -> list[str]:
    return [finding.code for finding in reading(folder, content, name).findings]


def with_doctype(part: str, doctype: str) -> bytes:
    parts = xlsx_parts(ROWS)
    whole = parts.get(part) or '<?xml version="1.0"?>\n<a/>'
    assert isinstance(whole, str)
    declaration, _, rest = whole.partition("\n")
    return from_parts(parts | {part: f"{declaration}{doctype}{rest}"})


def with_row(row_xml: str) -> bytes:
    """The good header, then this XML."""
    header = sheet_of([HEADER]).partition("<sheetData>")[2].partition("</sheetData>")[0]
    return an_xlsx(sheet=sheet_with(header + row_xml))


def test_a_good_template_is_read_in_all_its_fields(folder: Path) -> None:
    found = reading(folder, a_template("0000_11", "0001_11"))
    assert found.findings == ()
    assert [logic.logic_id for logic in found.template.logics] == ["0000_11", "0001_11"]
    assert found.template.logics[0].path == "Unit01_이송부/Assy11/Logic 0000_11"
    assert [logic.row for logic in found.template.logics] == [2, 3]


def test_a_genuine_legacy_workbook_is_read(folder: Path) -> None:
    found = reading(folder, an_xls([HEADER, logic_row("0000_11"), logic_row(11.0)]), "old.xls")
    assert found.findings == ()
    assert [logic.logic_id for logic in found.template.logics] == ["0000_11", "11"]


def test_63_ole2_that_is_encrypted_or_no_workbook_is_refused(folder: Path) -> None:
    encrypted = an_ole2({"EncryptionInfo": b"x", "EncryptedPackage": b"y"})
    assert codes(folder, encrypted) == ["xlsx_encrypted_or_legacy"]
    assert codes(folder, an_ole2({"WordDocument": b"x"}), "letter.xls") == ["xlsx_encrypted_or_legacy"]
    assert codes(folder, encrypted[:600]) == ["xlsx_encrypted_or_legacy"]


def test_63_a_damaged_legacy_workbook_is_corrupt_not_a_crash(folder: Path) -> None:
    content = an_xls(ROWS)
    for place in range(1536, 1800, 13):
        damaged = content[:place] + b"\xff\xff" + content[place + 2 :]
        assert set(codes(folder, damaged, "old.xls")) <= LISTED_CODES


def test_64_workbooks_with_macros_and_binary_ones_are_unsupported(folder: Path) -> None:
    assert codes(folder, a_template("1"), "macro.xlsm") == ["type_unsupported"]
    assert codes(folder, a_template("1"), "binary.xlsb") == ["type_unsupported"]
    assert codes(folder, an_xlsx(ROWS, xl__vbaProject_bin=b"x")) == ["type_unsupported"]


def test_20_a_zip_that_is_no_workbook_is_a_mismatch(folder: Path) -> None:
    assert codes(folder, a_zip_of({"0000_11.csv": b"x"})) == ["type_mismatch"]
    assert codes(folder, b"%PDF-1.7 ...") == ["type_mismatch"]
    assert codes(folder, an_xls(ROWS)) == ["type_mismatch"]
    assert codes(folder, a_template("1"), "new.xls") == ["type_mismatch"]


@pytest.mark.parametrize(
    "missing", ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET_PART]
)
def test_65_a_missing_part_makes_a_workbook_corrupt(folder: Path, missing: str) -> None:
    assert codes(folder, from_parts(xlsx_parts(ROWS) | {missing: None})) == ["xlsx_corrupt"]


@pytest.mark.parametrize("part", [SHEET_PART, "xl/workbook.xml", "[Content_Types].xml", "docProps/core.xml"])
@pytest.mark.parametrize("doctype", [BILLION_LAUGHS, QUADRATIC, XXE, EXTERNAL_DTD, "<!DOCTYPE x>"])
def test_66_to_69_a_document_type_in_any_part_is_forbidden(folder: Path, part: str, doctype: str) -> None:
    assert codes(folder, with_doctype(part, doctype)) == ["xml_forbidden"]


def test_69_external_links_are_never_followed(folder: Path) -> None:
    parts = xlsx_parts(ROWS)
    linked = str(parts["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>",
        '<Relationship Id="rId9" Type="x/externalLink" Target="http://127.0.0.1:9/" TargetMode="External"/>'
        "</Relationships>",
    )
    assert codes(folder, from_parts(parts | {"xl/_rels/workbook.xml.rels": linked})) == []


def test_70_a_dimension_is_not_believed(folder: Path) -> None:
    rows = sheet_of(ROWS).replace('ref="A1"', 'ref="A1:XFD1048576"')
    assert len(reading(folder, an_xlsx(sheet=rows)).template.logics) == 2


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="99999999"><c r="A99999999"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="2"><c r="XFD2"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="150000"><c r="SF150000"><v>1</v></c></row>', "xlsx_too_large"),
        ('<row r="0"><c r="A0"><v>1</v></c></row>', "xlsx_corrupt"),
        ('<row r="-1"/>', "xlsx_corrupt"),
        ('<row r="2"><c r="ZZZZ2"><v>1</v></c></row>', "xlsx_corrupt"),
        ('<row r="2"><c r="A3"><v>1</v></c></row>', "xlsx_corrupt"),
        ('<row r="3"/><row r="2"/>', "xlsx_corrupt"),
        ('<row r="2"/><row r="2"/>', "xlsx_corrupt"),
        ('<row r="2"><c r="B2"/><c r="A2"/></row>', "xlsx_corrupt"),
        ('<row r="2"><c r="D2" t="s"><v>0</v></c></row>', "xlsx_corrupt"),
        ('<row r="2"><c r="D2" t="s"><v>-1</v></c></row>', "xlsx_corrupt"),
        ('<row r="2"><c r="D2"><v>eleven</v></c></row>', "cell_invalid"),
        ('<row r="2"><c r="D2"><v>1e999</v></c></row>', "cell_invalid"),
        ('<row r="2"><c r="D2" t="d"><v>31.02.2024</v></c></row>', "cell_invalid"),
    ],
)
def test_71_to_74_a_cell_that_cannot_be_is_named(folder: Path, row: str, code: str) -> None:
    found = reading(folder, with_row(row)).findings
    assert [finding.code for finding in found] == [code]


def test_72_rows_without_numbers_count_themselves(folder: Path) -> None:
    rows = sheet_of(ROWS)
    for number in range(1, 4):
        rows = rows.replace(f' r="{number}"', "")
        for column in "ABCDE":
            rows = rows.replace(f' r="{column}{number}"', "")
    assert [logic.row for logic in reading(folder, an_xlsx(sheet=rows)).template.logics] == [2, 3]


def test_73_shared_texts_are_read_and_a_missing_one_is_named(folder: Path) -> None:
    row = '<row r="2"><c r="D2" t="s"><v>{}</v></c></row>'
    parts = xlsx_parts() | {"xl/sharedStrings.xml": shared_strings(["0000_11"])}
    parts["xl/_rels/workbook.xml.rels"] = relations(["worksheets/sheet1.xml"]).replace(
        "</Relationships>",
        '<Relationship Id="rId9" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    header = sheet_of([HEADER]).partition("<sheetData>")[2].partition("</sheetData>")[0]
    good = from_parts(parts | {SHEET_PART: sheet_with(header + row.format(0))})
    assert [logic.logic_id for logic in reading(folder, good).template.logics] == ["0000_11"]
    bad = reading(folder, from_parts(parts | {SHEET_PART: sheet_with(header + row.format(1))})).findings
    assert [(finding.code, finding.row) for finding in bad] == [("xlsx_corrupt", 2)]
    assert "D2" in bad[0].message


def test_75_bulk_that_packs_small_is_not_parsed(folder: Path) -> None:
    huge = an_xlsx(sheet=sheet_with(" " * (33 * MEBIBYTE)))
    assert codes(folder, huge) == ["xlsx_too_large"]


def test_75_a_part_beyond_the_limit_is_not_parsed_though_it_hardly_packs(folder: Path) -> None:
    path = folder / "spooled"
    parts = xlsx_parts() | {SHEET_PART: sheet_with(" " * (33 * MEBIBYTE))}
    entries = [
        Entry(name=name.encode(), content=part.encode(), method=STORED)
        for name, part in parts.items()
        if isinstance(part, str)
    ]
    path.write_bytes(a_zip(*entries))
    (finding,) = read_template(path, "template.xlsx", LIMITS).findings
    assert (finding.code, SHEET_PART in finding.message) == ("xlsx_too_large", True)


@pytest.mark.parametrize(
    "sheet", ["<!-- {} --><worksheet/>", "<worksheet a='{}'/>", "<worksheet><{}/></worksheet>", "<?x {}?><worksheet/>"]
)
def test_75_a_tag_of_megabytes_is_not_waited_for(folder: Path, sheet: str) -> None:
    """Seconds for each of them: expat begins an unfinished tag anew with every piece."""
    tag = "".join(f"a{number:06x}" for number in range(MEBIBYTE))
    found = reading(folder, an_xlsx(sheet=sheet.format(tag)))
    assert [(finding.code, "has a tag of more than" in finding.message) for finding in found.findings] == [
        ("xlsx_too_large", True)
    ]


def test_71_a_used_range_is_measured_before_a_library_allocates_it(folder: Path) -> None:
    (finding,) = reading(folder, with_row('<row r="150000"><c r="SF150000"><v>1</v></c></row>')).findings
    assert "used range" in finding.message


@pytest.mark.parametrize("mode", ["", ' TargetMode="External"'])
def test_71_of_two_parts_of_one_name_none_is_read(folder: Path, mode: str) -> None:
    """Else one is looked at, and the library loads the other: here half a terabyte."""
    parts = xlsx_parts([HEADER, logic_row("0000_11")])
    far = sheet_with('<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"/></row>')
    again = relations(["worksheets/sheet2.xml"]).partition("<Relationship ")[2].replace("/>", f"{mode}/>", 1)
    targets = relations(["worksheets/sheet1.xml"]).replace("</Relationships>", f"<Relationship {again}")
    two = parts | {"xl/worksheets/sheet2.xml": far, "xl/_rels/workbook.xml.rels": targets}
    assert codes(folder, from_parts(two)) == ["xlsx_corrupt"]


def test_79_two_sheets_of_one_name_are_none(folder: Path) -> None:
    named = xlsx_parts([HEADER, logic_row("0000_11")]) | {
        "xl/workbook.xml": workbook([("Sheet1", "visible"), ("Sheet1", "visible")]),
        "xl/_rels/workbook.xml.rels": relations(["worksheets/sheet1.xml", "worksheets/sheet2.xml"]),
        "xl/worksheets/sheet2.xml": sheet_of([HEADER, logic_row("9999_99")]),
    }
    assert codes(folder, from_parts(named)) == ["xlsx_corrupt"]


def test_76_shared_texts_are_measured_where_the_library_finds_them(folder: Path) -> None:
    parts = xlsx_parts([HEADER, logic_row("0000_11")])
    another = relations(["few.xml"], kind="sharedStrings").partition("<Relationship ")[2].replace("rId1", "rId9")
    named = parts | {
        "xl/few.xml": shared_strings(["few"]),
        "xl/sharedStrings.xml": shared_strings(["x" * 40_000]),
        "xl/_rels/workbook.xml.rels": relations(["worksheets/sheet1.xml"]).replace(
            "</Relationships>", f"<Relationship {another}"
        ),
    }
    assert codes(folder, from_parts(named)) == ["cell_too_long"]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#NAME?", "#DIV/0!"])
def test_77_error_values_are_blank(folder: Path, error: str) -> None:
    row = f'<row r="2"><c r="A2"><v>1</v></c><c r="D2" t="e"><v>{error}</v></c></row>'
    assert codes(folder, with_row(row)) == ["logic_id_blank"]


def test_78_formulas_are_text_at_most(folder: Path) -> None:
    rows = (
        '<row r="2"><c r="D2" t="str"><f>1+1</f><v>0000_11</v></c></row>'
        '<row r="3"><c r="A3"><v>1</v></c><c r="D3"><f>WEBSERVICE("http://127.0.0.1:9/")</f></c></row>'
        '<row r="4"><c r="D4" t="inlineStr"><is><t>=cmd|\'/c calc\'!A0</t></is></c></row>'
    )
    found = reading(folder, with_row(rows))
    assert [logic.logic_id for logic in found.template.logics] == ["0000_11", "=cmd|'/c calc'!A0"]
    assert [(finding.code, finding.row) for finding in found.findings] == [("logic_id_blank", 3)]


def test_79_the_first_visible_worksheet_counts_and_fifty_sheets_are_the_most(folder: Path) -> None:
    parts = xlsx_parts(ROWS) | {
        "xl/workbook.xml": workbook([("List", "hidden"), ("Template", "visible")]),
        "xl/_rels/workbook.xml.rels": relations(["worksheets/list.xml", "worksheets/sheet1.xml"]),
        "xl/worksheets/list.xml": sheet_of([["nothing"]]),
    }
    assert len(reading(folder, from_parts(parts)).template.logics) == 2
    parts["xl/workbook.xml"] = workbook([(f"S{number}", "visible") for number in range(51)])
    assert codes(folder, from_parts(parts)) == ["xlsx_too_large"]
    parts["xl/workbook.xml"] = workbook([("Template", "veryHidden")])
    assert codes(folder, from_parts(parts)) == ["xlsx_corrupt"]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (HEADER[:3], "missing: Logic ID, Logic Name"),
        ((*HEADER, "logic  id"), "twice: Logic ID"),
        ((" ", "", None), "missing: Folder ID"),
        (("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID"), "missing: Logic Name"),
    ],
)
def test_80_a_header_names_what_is_missing_or_double(folder: Path, header: tuple[str, ...], named: str) -> None:
    found = reading(folder, an_xlsx([header, logic_row("0000_11")])).findings
    assert [finding.code for finding in found] == ["header_invalid"]
    assert named in found[0].message


@pytest.mark.parametrize(
    "sheet",
    [
        sheet_of(ROWS)[:-40],
        sheet_of(ROWS).replace('version="1.0"', 'version="1.1"'),
        sheet_of(ROWS).replace("UTF-8", "UTF-16").encode("utf-16"),
        sheet_of(ROWS).encode("utf-16-le"),
        sheet_of(ROWS).encode().replace(b"Unit01", b"Unit\xff1"),
        sheet_of(ROWS).replace("UTF-8", "EUC-KR").encode("euc-kr"),
        "",
    ],
)
def test_81_xml_that_is_cut_off_or_of_another_kind_is_corrupt(folder: Path, sheet: str | bytes) -> None:
    assert codes(folder, from_parts(xlsx_parts() | {SHEET_PART: sheet})) == ["xlsx_corrupt"]


def test_what_is_wrong_with_the_zip_is_told_in_a_workbooks_words(folder: Path) -> None:
    good = {name: part.encode() for name, part in xlsx_parts(ROWS).items() if isinstance(part, str)}
    entries = [Entry(name=name.encode(), content=part) for name, part in good.items()]
    assert codes(folder, a_zip(*entries, Entry(name=b"xl/../x"))) == ["xlsx_corrupt"]
    assert codes(folder, a_zip(*entries, Entry(name=b"xl/x", flags=1))) == ["xlsx_encrypted_or_legacy"]
    assert codes(folder, a_zip(*entries, Entry(name=b"xl/x", content=bytes(9 * MEBIBYTE)))) == ["xlsx_too_large"]
    assert codes(folder, a_template("1")[:-5]) == ["xlsx_corrupt"]
    assert codes(folder, b"") == ["file_empty"]


@settings(max_examples=150)
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_leaves_the_template_equal_or_gets_a_listed_code(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = a_template("0000_11", "0001_11")
    damaged = bytearray(content)
    damaged[place % len(content)] ^= flip
    found = reading(folder, bytes(damaged))
    assert found == reading(folder, content) or {finding.code for finding in found.findings} <= LISTED_CODES
    assert found.findings or found == reading(folder, content)


def test_a_column_too_many_is_a_notice_and_the_program_id_is_none(folder: Path) -> None:
    rows = [("PGM ID", *HEADER, "Remark"), ("PGM_1", *logic_row("0000_11"), "x")]
    found = reading(folder, an_xlsx(rows))
    assert [(finding.code, finding.severity) for finding in found.findings] == [("column_ignored", Severity.NOTICE)]
    assert "'remark'" in found.findings[0].message
    assert found.template.logics[0].logic_id == "0000_11"


def test_the_reader_of_cells_reports_what_the_library_cannot_read(folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(an_xlsx(sheet=sheet_with("").replace("sheetData", "sheetDatum")))
    assert [finding.code for finding in read_template(path, "x.xlsx", LIMITS).findings] == ["header_invalid"]
