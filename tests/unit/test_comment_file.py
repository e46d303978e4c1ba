"""Comment files: GX Works' shape in four languages and the lists that people keep."""

import pytest

from domain.comment_file import parse_comments


@pytest.mark.parametrize(
    ("device_head", "comment_head"),
    [
        ("Device Name", "Comment"),
        ("デバイス名", "コメント"),
        ("软元件名", "注释"),
        ("디바이스 이름", "코멘트"),
        ("Comment ID", "Comment Name"),
    ],
)
def test_every_language_is_read(device_head: str, comment_head: str) -> None:
    text = f'"project"\n"{device_head}"\t"{comment_head}"\n"X000"\t"기동     버튼"\n"D8000"\t"RUN"\n'
    comments, problems = parse_comments(b"\xff\xfe" + text.encode("utf-16-le"))
    assert problems == ()
    assert comments.of("X0") == "기동 버튼"
    assert comments.by_device["X0"] == "기동     버튼"


@pytest.mark.parametrize(
    ("content", "device"),
    [
        ("Device Code,Device No.,Comment\r\nM,10,정지\r\n", "M10"),
        ("Device,Comment,Device,Comment\r\nX0,기동,Y0,정지\r\n", "Y0"),
        ("Device Name,Comment,Comment 2\r\nM1,정지,stop\r\n", "M1"),
        ("Device Name,Comment 1,Comment 2\r\nM1,,정지\r\n", "M1"),
        ("Device Name,Korean/한국어(Display Target),English\r\nM1,정지,stop\r\n", "M1"),
    ],
)
def test_other_shapes_in_the_wild_are_read(content: str, device: str) -> None:
    comments, problems = parse_comments(content.encode("cp949"))
    assert problems == ()
    assert comments.of(device) == "정지"


def test_rows_that_name_no_device_are_left_out_without_a_word() -> None:
    comments, problems = parse_comments("Comment ID,Comment Name\r\n0000_11,Mode\r\nM1,정지\r\n".encode())
    assert (dict(comments.by_device), problems) == ({"M1": "정지"}, ())


def test_a_row_with_too_many_fields_is_named_and_the_rest_is_read() -> None:
    comments, problems = parse_comments(b"Device,Comment\r\nM1,a,b\r\nM2,c\r\n")
    assert dict(comments.by_device) == {"M2": "c"}
    assert [(problem.code, problem.row) for problem in problems] == [("csv_row_shape", 2)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a,b\r\n1,2\r\n", "header_invalid"),
        (b"", "csv_no_rows"),
        (b"Device Name,Comment\r\n", "csv_no_rows"),
        (b"\x81\xff", "csv_encoding"),
    ],
)
def test_what_is_no_comment_file_is_one_problem(content: bytes, code: str) -> None:
    comments, problems = parse_comments(content)
    assert not comments.by_device
    assert [problem.code for problem in problems] == [code]
