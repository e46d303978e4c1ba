"""Tables of unknown shape: the header is found, and every value says its header and its unit."""

import codecs

import pytest

from adapters.plc_files.further_passages import read_passages
from builders.further import ROWS, TABLE, a_workbook
from domain.further.passages import PASSAGE_CHARACTERS, Passage
from domain.further.tables import table_passages
from domain.upload import UploadLimits

LIMITS = UploadLimits()


def said(*rows: tuple[str, ...], sheet: str = "") -> list[tuple[str, str]]:
    return [(passage.place, passage.text) for passage in table_passages(rows, sheet=sheet)]


def test_a_plain_table_says_its_header_with_every_value() -> None:
    assert said(("code", "text"), ("1", "과열"), ("2", "Overload")) == [
        ("rows 2-3", "code: 1; text: 과열\ncode: 2; text: Overload")
    ]


@pytest.mark.parametrize("names", [("2024", "2025"), ("1", "2", "3")])
def test_years_and_ordinals_may_name_columns(names: tuple[str, ...]) -> None:
    values = ("7", "9", "4")[: len(names)]
    told = "; ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    assert said(("항목", *names), ("정지", *values)) == [("row 2", f"항목: 정지; {told}")]


@pytest.mark.parametrize("values", [("85", "86"), ("2025", "2024"), ("3.5", "4.5"), ("1", "2")])
def test_other_numbers_are_values(values: tuple[str, ...]) -> None:
    rows = (("P-A", *values), ("P-B", "7", "8"))
    assert said(*rows) == [("rows 1-2", f"P-A; {'; '.join(values)}\nP-B; 7; 8")]


def test_titles_and_blank_rows_stand_before_the_header() -> None:
    rows = (("알람 목록", ""), ("2026-01", ""), ("", ""), ("코드", "값"), ("E1", "3"))
    assert said(*rows) == [("rows 1-2", "알람 목록\n2026-01"), ("row 5", "코드: E1; 값: 3")]


def test_a_title_right_above_the_header_is_none_of_it() -> None:
    assert said(("알람 목록",), ("코드", "값"), ("E1", "3")) == [("row 1", "알람 목록"), ("row 3", "코드: E1; 값: 3")]


def test_a_row_of_units_belongs_to_the_header() -> None:
    rows = (("유량", "압력", "비고"), ("(L/min)", "MPa", ""), ("120", "0.5", "예비"))
    assert said(*rows) == [("row 3", "유량 (L/min): 120; 압력 (MPa): 0.5; 비고: 예비")]


def test_units_in_the_headers_own_cells_stay() -> None:
    assert said(("압력 [bar]", "온도(℃)"), ("3", "40")) == [("row 2", "압력 [bar]: 3; 온도(℃): 40")]


def test_merged_cells_of_a_header_stand_above_each_of_their_columns() -> None:
    rows = (("번호", "펌프", "", "비고"), ("", "유량", "압력", ""), ("7", "1", "2", "x"))
    assert said(*rows) == [("row 3", "번호: 7; 펌프 유량: 1; 펌프 압력: 2; 비고: x")]


def test_blank_cells_are_left_out_and_ragged_rows_keep_theirs() -> None:
    assert said(("a", "b"), ("1", ""), ("2", "3", "more")) == [("rows 2-3", "a: 1\na: 2; b: 3; more")]


def test_rows_after_a_blank_one_keep_the_header() -> None:
    assert said(("a", "b"), ("1", "2"), (), ("3", "4")) == [("row 2", "a: 1; b: 2"), ("row 4", "a: 3; b: 4")]


def test_another_table_on_the_sheet_has_a_header_of_its_own() -> None:
    assert said(("a", "b"), ("1", "2"), (), ("c", "d"), ("3", "4"))[-1] == ("row 5", "c: 3; d: 4")


def test_a_list_of_codes_without_a_header_loses_no_row() -> None:
    assert said(("X0", "비상 정지"), ("X1", "리셋")) == [("rows 1-2", "X0; 비상 정지\nX1; 리셋")]


def test_a_header_without_rows_can_be_found() -> None:
    assert said(("a", "b")) == [("row 1", "a; b")]


def test_numbers_alone_are_no_header() -> None:
    assert said(("1", "2"), ("3", "4")) == [("rows 1-2", "1; 2\n3; 4")]


def test_passages_are_short_and_lose_nothing() -> None:
    rows = [
        ("code", "text"),
        *((f"E{number}", f"알람 {number} " + "긴 설명 " * (number % 90)) for number in range(200)),
    ]
    passages = list(table_passages(rows))
    assert max(len(passage.text) for passage in passages) <= PASSAGE_CHARACTERS
    assert {f"code: E{number};" for number in range(200)} <= {
        f"{word} {rest}" for p in passages for word, rest in zip(p.text.split(), p.text.split()[1:], strict=False)
    }
    joined = " ".join(" ".join(passage.text.split()) for passage in passages)
    assert joined.count("설명") == sum(number % 90 for number in range(200))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_a_csv_is_read_in_the_encodings_in_which_it_comes(encoding: str) -> None:
    passages = read_passages(TABLE.encode(encoding), "a.csv", LIMITS)
    assert (
        passages[-1].text == "코드: E101; 설명: 과열 정지; 온도 (℃): 85\n코드: E102; 설명: Motor overload; 온도 (℃): 70"
    )


def test_a_japanese_csv_in_cp932_is_read() -> None:
    (passage,) = read_passages("コード,説明\r\n101,過熱停止ランプ\r\n".encode("cp932"), "a.csv", LIMITS)
    assert passage.text == "コード: 101; 説明: 過熱停止ランプ"


def test_utf_16_big_endian_with_tabs_is_read() -> None:
    content = codecs.BOM_UTF16_BE + "a\tb\n1\t과열\n".encode("utf-16-be")
    assert read_passages(content, "a.CSV", LIMITS) == (Passage(place="row 2", text="a: 1; b: 과열"),)


def test_every_visible_sheet_of_a_workbook_is_read_under_its_name() -> None:
    content = a_workbook({"펌프": ROWS, "부품": (("이름", "수량"), ("=1+1", 4))})
    passages = read_passages(content, "a.xlsx", LIMITS)
    assert [passage.place for passage in passages] == ["펌프, row 1", "펌프, rows 6-7", "부품, row 2"]
    assert "펌프 유량 (L/min): 120; 펌프 압력 (bar): 3.5" in passages[1].text


def test_what_looks_like_a_formula_in_a_csv_stays_text() -> None:
    (passage,) = read_passages(b"name,value\n=cmd|'/c calc'!A0,+1\n", "a.csv", LIMITS)
    assert passage.text == "name: =cmd|'/c calc'!A0; value: +1"
