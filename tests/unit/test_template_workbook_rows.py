"""The rows of a template sheet, without any workbook around them."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.plc_files.template_sheet import TemplateReading, read_template_rows
from builders.workbooks import HEADER
from domain.upload import UploadLimits

LIMITS = UploadLimits()


def read(*rows: tuple[str, ...], limits: UploadLimits = LIMITS) -> TemplateReading:
    return read_template_rows(rows, file_name="template.xlsx", limits=limits)


def row(logic_id: str, name: str = "Main") -> tuple[str, ...]:
    return ("0", "이송부", "", logic_id, name)


def found(reading: TemplateReading) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.row) for finding in reading.findings]


def test_blank_rows_above_the_header_and_between_rows_do_not_shift_the_numbers() -> None:
    reading = read((), ("", " "), HEADER, (), row("a"), ("", ""), row("b"))
    assert [(logic.row, logic.logic_id) for logic in reading.template.logics] == [(5, "a"), (7, "b")]
    assert reading.findings == ()


def test_headings_are_known_by_their_words() -> None:
    wide = tuple(unicodedata.normalize("NFKC", name).upper().replace(" ", "\u00a0 \n") for name in HEADER)
    full_width = ("Ｆｏｌｄｅｒ ＩＤ", *wide[1:])
    assert [logic.logic_id for logic in read(full_width, row("a")).template.logics] == ["a"]


def test_a_blank_and_a_repeated_logic_id_are_found_with_their_rows() -> None:
    reading = read(HEADER, row("a"), row(" "), row("b"), row("A "), row("b"))
    assert found(reading) == [("logic_id_blank", 3), ("logic_id_duplicate", 5), ("logic_id_duplicate", 6)]
    assert "row 2" in reading.findings[1].message
    assert [logic.logic_id for logic in reading.template.logics] == ["a", "b"]


def test_identifiers_stay_text_and_are_composed() -> None:
    reading = read(HEADER, row("0000_11"), row(unicodedata.normalize("NFD", " 한글 ")))
    assert [logic.logic_id for logic in reading.template.logics] == ["0000_11", "한글"]


@pytest.mark.parametrize("character", ["\0", "\x1b", "\ufdd0", "\uffff", "\x85", "\ud800"])
def test_what_is_no_text_is_named_with_its_row(character: str) -> None:
    assert found(read(HEADER, row("a", f"Ma{character}in"))) == [("text_invalid", 2)]


def test_a_line_break_in_a_cell_is_a_blank() -> None:
    assert read(HEADER, row("a", "Auto\r\nStep")).template.logics[0].logic_name == "Auto Step"


def test_a_cell_beyond_the_limit_is_too_long() -> None:
    assert found(read(HEADER, row("a", "x" * 11), limits=replace(LIMITS, cell_characters=10))) == [("cell_too_long", 2)]


def test_a_header_without_rows_is_an_empty_template() -> None:
    assert found(read(HEADER, ("", ""))) == [("template_empty", None)]


def test_no_rows_at_all_have_no_header() -> None:
    assert found(read()) == [("header_invalid", 1)]


def test_a_missing_column_does_not_hide_what_else_is_wrong() -> None:
    reading = read(("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID"), row("a"), row("a"))
    assert found(reading) == [("header_invalid", 1), ("logic_id_duplicate", 3)]
    assert [logic.logic_id for logic in reading.template.logics] == ["a"]


def test_the_required_columns_are_a_setting() -> None:
    limits = replace(LIMITS, required_columns=("Logic ID", "Line"))
    reading = read(("Line", "Logic ID", "Folder Name"), ("L1", "a", "이송부"), limits=limits)
    assert reading.findings == ()
    assert reading.template.logics[0].folder_name == "이송부"


@given(rows=st.lists(st.lists(st.text(max_size=8) | st.sampled_from(HEADER), max_size=7), max_size=25))
def test_no_sheet_makes_the_reader_fail(rows: list[list[str]]) -> None:
    reading = read_template_rows(rows, file_name="t.xlsx", limits=LIMITS)
    assert reading.findings or reading.template.logics
    assert len({logic.logic_id for logic in reading.template.logics}) == len(reading.template.logics)
