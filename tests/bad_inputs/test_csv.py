"""Cases 82 to 95: comment files and ladder listings of every encoding and shape."""

from collections.abc import Iterable

import pytest

from bad_inputs.target import GOOD_COMMENTS, GOOD_LADDER, MEBIBYTE, Sent, Target, ladder, upload
from builders.archives import Entry, a_zip

HEADER = "Device Name,Comment\r\n"
LISTING = GOOD_LADDER.decode()


def comments(text: str | bytes) -> Sent:
    """A registration with this comment file."""
    return upload(comments=text.encode() if isinstance(text, str) else text)


def accepts_both(target: Target, case: int, encodings: Iterable[str]) -> None:
    """The good listing and the good comments in each of the encodings; what is stored is what was sent."""
    for encoding in encodings:
        content = LISTING.encode(encoding)
        registered = target.accepts(
            case,
            upload(
                a_zip(Entry(name=b"0000_11.csv", content=content)), comments=GOOD_COMMENTS.decode().encode(encoding)
            ),
        )
        (document,) = (each for each in registered["documents"] if each["logic_id"])
        assert target.content_of(document["document_id"]) == content
        assert document["encoding"]


def test_082_byte_order_marks(target: Target) -> None:
    accepts_both(target, 82, ["utf-8-sig", "utf-16"])
    big = b"\xfe\xff" + LISTING.encode("utf-16-be")
    target.accepts(82, ladder(big))


def test_083_korean_code_pages_are_told_apart_and_reported(target: Target) -> None:
    accepts_both(target, 83, ["cp949", "euc-kr"])
    registered = target.accepts(83, ladder(LISTING.encode("cp949")))
    assert {each["encoding"] for each in registered["documents"] if each["logic_id"]} == {"cp949"}


def test_084_bytes_of_no_encoding(target: Target) -> None:
    mixed = HEADER.encode() + "M1,도어\r\n".encode() + "M2,스위치\r\n".encode("cp949")
    for content in (HEADER.encode() + b"M1,a\xff\r\n", mixed):
        body = target.refuses(84, comments(content))
        assert "byte" in body["detail"]
        assert "line" in body["detail"]
    target.refuses(84, ladder(GOOD_LADDER.replace(b"X1", b"X\xff1")))


def test_085_nul_bytes(target: Target) -> None:
    assert "line 2" in target.refuses(85, comments(HEADER + "M1,a\0b\r\n"))["detail"]
    target.refuses(85, ladder(GOOD_LADDER + b"\0\0\0"))


def test_086_a_quote_that_is_never_closed(target: Target) -> None:
    assert "line 3" in target.refuses(86, comments(HEADER + 'M1,a\r\nM2,"b\r\nM3,c\r\n'))["detail"]
    target.refuses(86, ladder(GOOD_LADDER + b'13,"never closed\r\n'))


def test_087_rows_of_another_shape(target: Target) -> None:
    body = target.refuses(87, comments(HEADER + "M1,a,b\r\n" * 30))
    assert [finding["row"] for finding in body["findings"]] == list(range(2, 22))
    target.accepts(87, comments(HEADER + "M1\r\nM2,b\r\n"))


def test_088_a_field_of_megabytes(target: Target) -> None:
    target.refuses(88, comments(HEADER + "M1," + "x" * (9 * MEBIBYTE) + "\r\n"))
    target.refuses(88, comments(HEADER + f'M1,"{"x" * 40_000}"\r\n'))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_089_every_end_of_line(target: Target, end: str) -> None:
    target.accepts(89, comments(GOOD_COMMENTS.decode().replace("\r\n", end).rstrip()))
    target.accepts(89, comments(f"Device Name,Comment\nM1,a{end}M2,b\r\nM3,c"))
    target.accepts(89, ladder(LISTING.replace("\n", end).encode()))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_090_other_delimiters_are_guessed_among_four(target: Target, delimiter: str) -> None:
    target.accepts(90, comments(GOOD_COMMENTS.decode().replace(",", delimiter)))
    target.accepts(90, ladder(LISTING.replace(",", delimiter).encode()))
    target.refuses(90, comments(GOOD_COMMENTS.decode().replace(",", "^")))
    target.refuses(90, ladder(LISTING.replace(",", "^").encode()))


def test_091_no_rows(target: Target) -> None:
    for text in (HEADER, "\r\n" * 40, HEADER + ",\r\n"):
        target.refuses(91, comments(text))
    target.refuses(91, ladder(GOOD_LADDER[: GOOD_LADDER.index(b"0,[Title]")]))


def test_092_too_many_rows_or_columns(target: Target) -> None:
    target.refuses(92, comments(HEADER + "M1,a\r\n" * 200_001))
    target.refuses(92, comments(HEADER + "M1" + ",a" * 500 + "\r\n"))


def test_093_what_a_spreadsheet_would_run_is_kept_as_text(target: Target) -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=cmd|'/c calc'!A0", '"=1"', " =1"]
    rows = "".join(f'M{number},"{cell.replace(chr(34), chr(34) * 2)}"\r\n' for number, cell in enumerate(cells))
    content = (HEADER + rows).encode()
    registered = target.accepts(93, upload(comments=content))
    (document,) = (each for each in registered["documents"] if each["document_type"] == "PGM_COMMENT_CSV")
    assert target.content_of(document["document_id"]) == content


def test_094_headers_that_are_none_or_double(target: Target) -> None:
    for header in (",\r\n", "Device Name,Remark\r\n", "Comment,Device Name\r\n"):
        target.refuses(94, comments(header + "M1,a\r\n"))


def test_095_what_is_no_character(target: Target) -> None:
    target.refuses(95, comments(HEADER + "M1,\ufffe\r\n"))
    target.refuses(95, comments(HEADER.encode() + b"M1,\xed\xa0\x80\r\n"))
    lone = "\ufeff" + HEADER + "M1,\ud800x\r\n"
    target.refuses(95, comments(lone.encode("utf-16-le", "surrogatepass")))
    target.refuses(95, ladder(GOOD_LADDER.replace(b"[Title]", "\uffff".encode())))
