"""Bytes to cells: the encodings, delimiters and damages in which ladder CSVs come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ladder.table import Table, TableError, decode_table, render_table

KOREAN = "0,컨베이어 #1 비상정지 회로,LD,X13\r\n"
JAPANESE = "0,非常停止コンベア,LD,X13\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xff\xfe" + KOREAN.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + KOREAN.encode("utf-16-be"), "utf-16-be"),
        (KOREAN.encode("utf-16-le"), "utf-16-le"),
        (KOREAN.encode("utf-16-be"), "utf-16-be"),
        (KOREAN.replace("컨베이어", "가개가개 컨베이어").encode("utf-16-le"), "utf-16-le"),
        (KOREAN.replace("컨베이어", "가开 컨베이어").encode("utf-16-be"), "utf-16-be"),
        (KOREAN.encode("utf-8-sig"), "utf-8-sig"),
        (KOREAN.encode("utf-8"), "utf-8"),
        (KOREAN.encode("cp949"), "cp949"),
        (JAPANESE.encode("cp932"), "cp932"),
        (b"0,,LD,X13\r\n", "utf-8"),
    ],
)
def test_every_encoding_that_plants_use_is_recognised(content: bytes, encoding: str) -> None:
    table = decode_table(content)
    assert table.encoding == encoding
    assert table.rows[0][3] == "X13"
    assert table.rows[0][1].endswith(("컨베이어 #1 비상정지 회로", "非常停止コンベア")) or table.rows[0][1] == ""


@pytest.mark.parametrize(
    "text", ["コンベア停止", "異常リセット", "非常停止", "シリンダ上昇端", "ｺﾝﾍﾞｱ 停止 タイマ", "ﾜｰｸ有", "ｼﾘﾝﾀﾞｰ"]
)
def test_japanese_is_not_taken_for_korean(text: str) -> None:
    assert decode_table(f"0,{text},LD,X0\r\n".encode("cp932")).rows[0][1] == text


@pytest.mark.parametrize("text", ["정지", "똠방각하 펲시", "실린더 상승단", "비상정지 해제 ON", "알람"])
def test_korean_is_not_taken_for_japanese(text: str) -> None:
    assert decode_table(f"0,{text},LD,X0\r\n".encode("cp949")).rows[0][1] == text


@pytest.mark.parametrize("stacked", [1, 2, 6])
def test_stacked_byte_order_marks_are_no_part_of_the_first_cell(stacked: int) -> None:
    content = b"\xff\xfe" * stacked + '"line"\r\n"a"\t"b"\r\n'.encode("utf-16-le")
    assert decode_table(content).rows == (("line",), ("a", "b"))


def test_byte_order_marks_of_appended_files_are_no_part_of_a_cell() -> None:
    content = '"a"\t"b"\r\n\ufeff\ufeff"c"\t"d"\r\n'.encode("utf-16")
    assert decode_table(content).rows == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize(("delimiter", "name"), [("\t", "tab"), (",", "comma"), (";", "semicolon"), ("|", "pipe")])
def test_line_ends_and_delimiters_do_not_matter(line_end: str, delimiter: str, name: str) -> None:
    content = line_end.join([delimiter.join(["a", "b"]), delimiter.join(["c", "d"])]).encode()
    table = decode_table(content)
    assert table.rows == (("a", "b"), ("c", "d"))
    assert table.delimiter == delimiter


def test_a_tab_in_the_first_lines_beats_any_number_of_commas() -> None:
    assert decode_table(b"a,b,c,d\r\nx\ty\r\n").rows[1] == ("x", "y")


def test_a_comment_may_hold_a_line_break_and_a_quote() -> None:
    assert decode_table(b'"a\r\nb","c""d"\r\n').rows == (("a\r\nb", 'c"d'),)


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"a,b\r\n\xff\r\n", "csv_encoding", 2),
        (b"\xff\xfea", "csv_encoding", 1),
        (b"a,b\r\nc,\x00d\r\n", "csv_invalid", 2),
        (b'a,b\r\nc,"d\r\ne,f\r\n', "csv_invalid", 2),
        ("a\r\nb\ufffe\r\n".encode(), "text_invalid", 2),
        ("a\r\nb\U0001ffff\r\n".encode(), "text_invalid", 2),
        ("a\r\nb\U0010fffe\r\n".encode(), "text_invalid", 2),
        (b"\xff\xfe\x00\xd8a\x00", "text_invalid", 1),
        (b"a,b\n\xed\xa0\x80\n", "text_invalid", 2),
        (b"\xff\xfea\x00\x00", "csv_encoding", 1),
        (b"a,b\r\n" + b"x" * 40_000, "cell_too_long", 2),
        (b"a,b\r\n" + b"x" * 400_000, "cell_too_long", 2),
        (b"a" + b"," * 600, "csv_too_large", 1),
        (b"a\n" * 200_001, "csv_too_large", 200_001),
    ],
)
def test_what_is_no_table_is_refused_with_its_row(content: bytes, code: str, row: int) -> None:
    with pytest.raises(TableError) as refused:
        decode_table(content)
    assert (refused.value.code, refused.value.row) == (code, row)
    assert refused.value.hint


cells = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff"), max_size=12
) | st.sampled_from(["", 'a"b', "=cmd|'/c calc'!A0", "a,b", "a\tb", "0000_11", "１２"])
rows = st.lists(st.lists(cells, min_size=2, max_size=8).map(tuple), min_size=1, max_size=20).map(tuple)


@given(rows=rows, encoding=st.sampled_from(["utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"]))
def test_cells_survive_being_written_and_read_again(rows: tuple[tuple[str, ...], ...], encoding: str) -> None:
    first = (("title", "tab"), *rows)
    written = render_table(Table(encoding=encoding, delimiter="\t", rows=first))
    assert decode_table(written).rows == first
