"""Listings: every language and layout of GX Works, nothing lost, rungs cut where an engineer sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ladder.listing import Listing, parse_listing, render_listing
from domain.ladder.table import Table, TableError, render_table

HEADERS = {
    "gx2-en": (
        "PLC Information:",
        ("Step No.", "Line Statement", "Instruction", "I/O(Device)", "Blank", "PI Statement", "Note"),
    ),
    "gx2-ja": (
        "PC情報:",
        ("ステップ番号", "行間ステートメント", "命令", "I/O(デバイス)", "空欄", "PIステートメント", "ノート"),
    ),
    "gx2-zh": ("PLC信息:", ("步号", "行间声明", "指令", "I/O(软元件)", "空白栏", "PI声明", "注解")),
    "gx2-ko": (
        "PLC 정보:",
        ("스텝 번호", "행 간 스테이트먼트", "명령", "I/O(디바이스)", "공란", "PI 스테이트먼트", "노트"),
    ),
    "gx3-en": (
        "Module Type Information:",
        ("Step No.", "Line Statement", "Instruction", "I/O (Device)", "Blank", "P/I Statement", "Note"),
    ),
    "gx3-ja": (
        "機種情報:",
        ("ステップ番号", "行間ステートメント", "命令", "I/O(デバイス)", "空欄", "P/Iステートメント", "ノート"),
    ),
    "gx3-zh": ("机型信息:", ("步号", "行间声明", "指令", "I/O(软元件)", "空白栏", "P/I声明", "注解")),
}
Rows = list[tuple[str, ...]]


def listing_of(*body: tuple[str, ...], header: str = "gx3-en") -> Listing:
    label, heads = HEADERS[header]
    rows = (("plant_line_3",), (label, "RCPU R08"), heads, *body)
    return parse_listing(render_table(Table(encoding="utf-16-le", delimiter="\t", rows=rows)))


def program(text: str) -> Rows:
    """One instruction a line; a line that starts with `;` is a statement."""
    rows: Rows = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith(";"):
            rows.append(("0", line[1:], "", "", "", "", ""))
            continue
        mnemonic, *operands = line.split()
        rows.append(("0", "", mnemonic, operands[0] if operands else "", "", "", ""))
        rows += [("", "", "", operand, "", "", "") for operand in operands[1:]]
    return rows


def rungs_of(text: str) -> list[list[str]]:
    return [[str(i) for i in rung.instructions] for rung in listing_of(*program(text)).rungs]


@pytest.mark.parametrize("header", HEADERS)
def test_every_language_and_version_is_recognised(header: str) -> None:
    facts = listing_of(*program("LD X0\nOUT Y0\nEND"), header=header).facts()
    assert facts.tool == ("GX Works2" if header.startswith("gx2") else "GX Works3")
    assert (facts.cpu, facts.row_count, facts.rung_count) == ("RCPU R08", 3, 1)


@pytest.mark.parametrize("missing", ["title and cpu", "cpu"])
def test_a_listing_without_the_rows_above_its_header_still_parses(missing: str) -> None:
    heads = HEADERS["gx3-en"][1]
    above = () if missing == "title and cpu" else (("title",),)
    content = render_table(Table(encoding="utf-8", delimiter=",", rows=(*above, heads, ("0", "", "END"))))
    assert parse_listing(content).cpu == ""


def test_padding_blank_rows_and_a_hand_put_ellipsis_are_kept_and_harmless() -> None:
    body = [*program("LD X1500"), ("...", "", "...", "...", "", "", ""), *program("END"), *[("",) * 7] * 970]
    listing = listing_of(*body)
    assert len(listing.body) == len(body)
    assert listing.facts().row_count == 3
    assert tuple(listing.rows()) == listing.table.rows


def test_operands_presets_notes_and_statements_go_where_they_belong() -> None:
    listing = listing_of(
        ("0", "[Title]걸림 감지", "", "", "", "", ""),
        ("9", " * ", "", "", "", "", ""),
        ("10", "", "LD", "X2C", "", "", ""),
        ("12", "", "OUT", "T2", "", "", ""),
        ("", "", "", "K300", "", "", ""),
        ("", "", "", "", "", "", "Preset value : 300"),
        ("15", "", "BMOV", "ZR12Z1.0", "", "", ""),
        ("", "", "", "K4M0", "", "", ""),
        ("", "", "", "H10D1", "", "pointer text", ""),
        ("16", "", "END", "", "", "", ""),
    )
    rung, end = listing.rungs
    assert rung.title == "걸림 감지"
    assert [str(i) for i in rung.instructions] == ["LD X2C", "OUT T2 K300", "BMOV ZR12Z1.0 K4M0 H10D1"]
    assert rung.instructions[1].notes == ("Preset value : 300",)
    assert rung.instructions[2].notes == ("pointer text",)
    assert (rung.first_row, rung.steps, end.steps) == (4, (10, 15), (16, 16))


@pytest.mark.parametrize("layout", [("MOV D0 D1", ""), ("MOV", "D0 D1"), ("MOV D0", "D1")])
def test_hand_made_layouts_of_operands_mean_the_same(layout: tuple[str, str]) -> None:
    listing = listing_of(("0", "", "LD", "X0", "", "", ""), ("1", "", *layout, "", "", ""))
    assert str(listing.rungs[0].instructions[1]) == "MOV D0 D1"


def test_a_string_operand_keeps_its_blanks() -> None:
    listing = listing_of(("0", "", "LD", "X0"), ("1", "", "$MOV", '"A B"'), ("", "", "", "D0"))
    assert listing.rungs[0].instructions[1].operands == ('"A B"', "D0")


@pytest.mark.parametrize(
    ("text", "rungs"),
    [
        ("LD X0\nOUT Y0\nLD X1\nOUT Y1\nEND", 3),
        ("LD X0\nLD X1\nOR X2\nANB\nOUT Y0", 1),
        ("LD X0\nAND X1\nLD X2\nAND X3\nORB\nOUT Y0\nSET M0", 1),
        ("LD X0\nMPS\nAND X1\nOUT Y1\nMRD\nLD X2\nOR X3\nANB\nOUT Y2\nMPP\nOUT Y3", 1),
        ("P0\nLD SM400\nCALL P1\nFEND\nP1\nLD X0\nOUT Y0\nRET\nEND", 7),
        ("LDD= D0 D2\nAND<> K1 D1\nLD$= D5 D9\nORB\nOUT Y0\nLD X1\nOUT Y2", 2),
        ("FOR K3\nLD X0\nINC D0\nNEXT\nEND", 4),
        ("MOV K1 D0", 1),
    ],
)
def test_a_rung_is_what_an_engineer_sees(text: str, rungs: int) -> None:
    assert len(rungs_of(text)) == rungs


def test_blocks_that_are_not_joined_are_told_from_balanced_ones() -> None:
    joined, open_ended = "LD X0\nLD X1\nANB\nOUT Y0", "LD X0\nLD X1\nOUT Y0"
    assert listing_of(*program(joined)).rungs[0].is_balanced
    assert not listing_of(*program(open_ended)).rungs[0].is_balanced
    assert not listing_of(*program("LD X0\nMPS\nOUT Y0")).rungs[0].is_balanced


def test_mnemonics_may_be_written_in_any_case_and_width() -> None:
    assert rungs_of("ld X0\nout Y0\nＬＤ X1\nOut Y1\nend") == [["LD X0", "OUT Y0"], ["LD X1", "OUT Y1"], ["END"]]


def test_what_stands_before_the_first_instruction_is_nobodys() -> None:
    listing = listing_of(("", "", "", "D9", "", "", "a note"), *program("LD X0\nOUT Y0"))
    assert str(listing.rungs[0].instructions[0]) == "LD X0"
    assert listing.rungs[0].notes == ()
    assert tuple(listing.rows()) == listing.table.rows


def test_two_exports_in_one_file_are_refused_where_the_second_begins() -> None:
    with pytest.raises(TableError) as refused:
        listing_of(*program("LD X0\nOUT Y0\nEND"), ("line 4",), HEADERS["gx3-en"][1], *program("LD X1\nEND"))
    assert (refused.value.code, refused.value.row) == ("csv_invalid", 8)


def test_a_bare_end_is_nothing_to_find() -> None:
    assert [rung.says_something for rung in listing_of(*program("LD X0\nOUT Y0\nEND")).rungs] == [True, False]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "csv_no_rows"),
        (b"\r\n,,\r\n", "csv_no_rows"),
        (b"Comment ID,Comment Name\r\n0000_11,Mode\r\n", "not_a_ladder"),
        (b"Step No.,,,I/O (Device)\r\n0,,LD,X0\r\n", "not_a_ladder"),
        (b"t\r\nStep No.,Line Statement,Instruction,I/O (Device)\r\n", "csv_no_rows"),
    ],
)
def test_what_is_no_ladder_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(TableError) as refused:
        parse_listing(content)
    assert refused.value.code == code


mnemonics = st.sampled_from(
    ["LD", "LDI", "AND", "OR", "ANB", "ORB", "MPS", "MPP", "OUT", "SET", "MOV", "P1", "END", "NOP", "", "...", "LD="]
)
texts = st.sampled_from(["", "", "", "컨베이어 정지", "[Title]x", " * ", "-", "D0 D1", '"', "K-3"])
body_rows = st.lists(
    st.tuples(st.sampled_from(["0", "", "12", "..."]), texts, mnemonics, texts, st.just(""), texts, texts), max_size=30
)


@given(body=body_rows)
def test_the_rungs_that_say_something_are_counted_without_being_cut(body: Rows) -> None:
    listing = listing_of(*body, ("9", "", "END", "", "", "", ""))
    assert listing.facts().rung_count == sum(rung.says_something for rung in listing.rungs)


@given(body=body_rows)
def test_no_cell_is_lost_and_none_is_in_two_rungs(body: Rows) -> None:
    listing = listing_of(*body, ("9", "", "END", "", "", "", ""))
    assert tuple(listing.rows()) == listing.table.rows
    again = parse_listing(render_listing(listing))
    assert tuple(again.rows()) == listing.table.rows
    assert [rung.first_row for rung in again.rungs] == [rung.first_row for rung in listing.rungs]
