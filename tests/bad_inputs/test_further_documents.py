"""Cases 107 to 125: further documents that lie, explode or hold nothing."""

import time
import unicodedata
from collections.abc import Iterator, Sequence

import pytest

from bad_inputs.target import MEBIBYTE, Sent, Target, document
from bad_inputs.test_xlsx import GOOD_PARTS, a_bulky_workbook
from builders.forms import CONTENT_TYPE, a_form, part
from builders.further import MARKDOWN, OF_EACH_KIND, a_workbook
from builders.pdfs import a_page, a_pdf, pdf_stream
from builders.workbooks import an_ole2, an_xls, an_xlsx

PATH = "/v1/programs/PGM_1/documents"
_TEXT = b"BT /F1 12 Tf 50 800 Td (Grease the spindle.) Tj ET"


@pytest.fixture(autouse=True)
def _followed_up(target: Target) -> Iterator[None]:
    """After each case a good document is taken, in the place of the one before."""
    yield
    target.accepts(112, document("good.md", MARKDOWN))


def of_forms(*parts: bytes) -> Sent:
    return Sent(path=PATH, body=a_form(*parts, texts={}), headers={"Content-Type": CONTENT_TYPE})


def test_107_no_document_or_two(target: Target) -> None:
    good = part("file", MARKDOWN, "a.md")
    target.refuses(107, of_forms(), "file_missing")
    target.refuses(107, of_forms(good, good), "too_many_files")
    target.refuses(107, of_forms(good, part("pgm_ladder_zip_file", b"x", "a.zip")), "field_unknown")


def test_108_an_empty_document(target: Target) -> None:
    for name in ("a.md", "a.csv", "a.pdf", "a.xlsx", "a.xls"):
        target.refuses(108, document(name, b""))


def test_109_a_document_over_the_limit_is_refused_before_the_body(target: Target) -> None:
    head = target.raw_head(22 * MEBIBYTE).replace(b"/v1/programs ", PATH.encode() + b" ")
    target.refuses(109, Sent(raw=head))
    target.refuses(109, document("a.txt", b"x" * (20 * MEBIBYTE + 1)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", a_workbook()),
        ("a.pdf", b"plain text"),
        ("a.xlsx", a_pdf("x")),
        ("a.xlsx", an_xls([("a",)])),
        ("a.xls", a_workbook()),
        ("a.xls", b"<html><table><tr><td>1"),
        ("a.csv", a_workbook()),
        ("a.md", a_pdf("x")),
        ("a.txt", b"MZ\x90\x00" + bytes(100)),
    ],
)
def test_110_a_document_that_is_not_what_its_name_says(target: Target, name: str, content: bytes) -> None:
    target.refuses(110, document(name, content), "type_mismatch")


@pytest.mark.parametrize("name", ["a.docx", "a.xlsm", "a.html", "a", "a.pdf.exe"])
def test_110_a_document_of_another_kind(target: Target, name: str) -> None:
    target.refuses(110, document(name, MARKDOWN), "type_unsupported")


@pytest.mark.parametrize(
    "name",
    [None, "", "...", "가" * 100 + ".md", "a" * 10_240 + ".md", "a\0.md", "a%0D%0AX: y.md", "cod\u202efdp.md"],
)
def test_111_a_document_without_a_usable_name(target: Target, name: str | None) -> None:
    target.refuses(111, document(name, MARKDOWN))


@pytest.mark.parametrize("name", ["../../etc/passwd.md", "C:\\\\x.md", "/abs/x.md", "점검표.md", "点検表ポンプ.md"])
def test_112_a_path_as_name_is_no_path_and_any_script_is_kept(target: Target, name: str) -> None:
    added = target.accepts(112, document(name, MARKDOWN))
    assert added["document_name"] == name.replace("\\", "/").split("/")[-1]
    assert target.content_of(added["document_id"]) == MARKDOWN


def test_113_one_name_in_two_normal_forms_is_one_document(target: Target) -> None:
    name = "컨베이어 ポンプ.md"
    first = target.accepts(113, document(unicodedata.normalize("NFD", name), MARKDOWN))
    second = target.accepts(113, document(unicodedata.normalize("NFC", name), MARKDOWN + b"x"))
    assert first["document_id"] == second["document_id"]
    assert second["document_name"] == unicodedata.normalize("NFC", name)


def test_114_what_is_said_of_it_that_cannot_be(target: Target) -> None:
    target.refuses(114, document("a.md", MARKDOWN, title="x" * 201), "field_too_long")
    target.refuses(114, document("a.md", MARKDOWN, description="x" * 4_001), "field_too_long")
    target.refuses(114, document("a.md", MARKDOWN, title="a\0b"), "text_invalid")
    target.refuses(114, document("a.md", MARKDOWN, pgm_name="x"), "field_unknown")


def test_115_a_protected_pdf(target: Target) -> None:
    trailer = (
        f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{'00' * 32}> /U <{'00' * 32}> /P -4 >> /ID [<{'00' * 16}> <00>]"
    )
    target.refuses(115, document("a.pdf", a_pdf("secret", trailer=trailer)))


def test_116_a_document_without_text(target: Target) -> None:
    target.refuses(116, document("a.pdf", a_pdf("", "")))
    target.refuses(116, document("a.md", b"\xef\xbb\xbf \n"))
    target.refuses(116, document("a.xlsx", an_xlsx([(None,)])))


_LOOPS = {
    "a page tree in a circle": a_page(pdf_stream(_TEXT), pages="/Kids [2 0 R] /Count 1"),
    "a page that is its own parent": a_page(pdf_stream(_TEXT), page="/Parent 4 0 R /Contents 5 0 R"),
    "contents that lead in a circle": a_page(pdf_stream(_TEXT), b"7 0 R", b"6 0 R", page="/Contents 6 0 R"),
    "a form that shows itself": a_page(
        pdf_stream(b"/X Do"),
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 6 0 R >> >> /Length 11 >>"
        b"\nstream\n/X Do /X Do\nendstream",
        page="/Contents 5 0 R /Resources << /XObject << /X 6 0 R >> >>",
    ),
    "dictionaries in dictionaries": a_page(pdf_stream(b""), page="/A " + "<< /A " * 50_000),
    "brackets without end": a_page(pdf_stream(_TEXT), page="/A " + "[" * 100_000),
    "brackets within brackets": a_page(pdf_stream(_TEXT), page="/A " + "[" * 5_000 + "]" * 5_000),
    "a table of a billion objects": a_page(pdf_stream(_TEXT)).replace(b"xref\n0 6\n", b"xref\n0 999999999\n"),
    "noise": b"%PDF-1.7\n" + bytes(number * number % 251 for number in range(300_000)),
}


@pytest.mark.parametrize("what", _LOOPS)
def test_117_a_pdf_that_leads_in_circles_or_nowhere(target: Target, what: str) -> None:
    target.refuses(117, document("a.pdf", _LOOPS[what]))


def _forms(depth: int) -> Sequence[bytes]:
    """Each shows the next one twice."""
    return [
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X %d 0 R >> >> /Length 11 >>"
        b"\nstream\n/X Do /X Do\nendstream" % (number + 1)
        for number in range(6, 6 + depth)
    ]


_BOMBS = {
    "200 MB of blanks": a_page(pdf_stream(b" " * 200_000_000)),
    "blanks packed twice": a_page(pdf_stream(b" " * 70_000_000, times=2)),
    "a million words": a_page(pdf_stream(b"BT /F1 12 Tf " + b"(x) Tj " * 1_000_000 + b"ET")),
    "a word of 18 MB": a_page(pdf_stream(b"BT /F1 12 Tf (" + b"x" * 18_000_000 + b") Tj ET")),
    "2,000 pages of one stream": a_page(
        pdf_stream(b"BT /F1 12 Tf " + b"(x) Tj " * 50_000 + b"ET"), pages=f"/Kids [{'4 0 R ' * 2_000}] /Count 2000"
    ),
    "one stream 200 times": a_page(pdf_stream(b" " * 500_000), page=f"/Contents [{'5 0 R ' * 200}]"),
}


@pytest.mark.parametrize("what", _BOMBS)
def test_118_a_pdf_that_unpacks_to_far_more_than_it_is(target: Target, what: str) -> None:
    assert len(_BOMBS[what]) < 250_000
    target.refuses(118, document("a.pdf", _BOMBS[what]))


def test_118_forms_that_show_each_other_a_million_times(target: Target) -> None:
    bomb = a_page(
        pdf_stream(b"/X Do"),
        *_forms(20),
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Length 2 >>\nstream\nq \nendstream",
        page="/Contents 5 0 R /Resources << /XObject << /X 6 0 R >> >>",
    )
    target.refuses(118, document("a.pdf", bomb), "document_without_text")


def test_119_a_workbook_that_unpacks_to_far_more_than_it_is(target: Target) -> None:
    target.refuses(119, document("a.xlsx", a_bulky_workbook("xl/media/a.bin", 200)))
    target.refuses(119, document("a.xlsx", a_bulky_workbook("xl/worksheets/sheet1.xml", 200)))
    far = an_xlsx(sheet=str(GOOD_PARTS["xl/worksheets/sheet1.xml"]).replace('r="A1"', 'r="XFD1048576"', 1))
    target.refuses(119, document("a.xlsx", far))


def test_120_an_xls_that_is_none_or_breaks_off(target: Target) -> None:
    good = an_xls([("부품", "수량"), ("베어링", 4)])
    target.refuses(120, document("a.xls", good[:8] + bytes(number * number % 251 for number in range(4_096))))
    target.refuses(120, document("a.xls", good[: len(good) // 2]))
    target.refuses(120, document("a.xls", an_ole2({"EncryptedPackage": bytes(64)})), "xlsx_encrypted_or_legacy")


def test_121_a_table_or_text_of_no_encoding(target: Target) -> None:
    for name in ("a.csv", "a.txt", "a.md"):
        target.refuses(121, document(name, b"abc \xff\xff\xff"), "csv_encoding")
        target.refuses(121, document(name, b"a\0b"), "csv_invalid")
        target.refuses(121, document(name, b"\xff\xfe\x00\xd8a\x00"), "text_invalid")


_LONG = {
    "one line.md": b"x" * (8 * MEBIBYTE),
    "words.txt": b"word " * (8 * MEBIBYTE // 5),
    "hangul.txt": "가".encode("cp949") * (8 * MEBIBYTE // 2),
    "headings.md": b"# a\n" * 1_000_000,
    "words.csv": b"a,b\n" + (b"x," + b"some more words " * 25 + b"\n") * 12_000,
}


@pytest.mark.parametrize("name", _LONG)
def test_122_more_text_than_is_indexed(target: Target, name: str) -> None:
    target.refuses(122, document(name, _LONG[name]), "document_too_long")


def test_122_blanks_without_end(target: Target) -> None:
    for name, blank in (("a.md", b"\n"), ("a.txt", b" ")):
        target.refuses(122, document(name, blank * (19 * MEBIBYTE)), "document_without_text")


def test_123_lines_and_cells_that_make_expressions_look_twice(target: Target) -> None:
    target.accepts(123, document("a.md", b"# a" + b"#" * 1_000_000 + b"b"))
    target.accepts(123, document("a.md", b"# a" + b" " * 1_000_000 + b"b"))
    target.accepts(123, document("a.csv", b"a,b\n" + (b"1" * 32_000 + b"x,2\n") * 10))


def test_124_a_table_of_too_many_cells(target: Target) -> None:
    target.refuses(124, document("a.csv", b"," * (19 * MEBIBYTE)), "csv_too_large")
    target.refuses(124, document("a.csv", b"a,b\n" * 200_001), "csv_too_large")
    target.refuses(124, document("a.csv", b'a,"' + b"x" * 40_000 + b'"\n'), "cell_too_long")
    target.refuses(124, document("a.csv", b'a,"b\n'), "csv_invalid")


def test_125_a_document_of_no_program_or_that_cannot_go_alone(target: Target) -> None:
    target.refuses(125, document("a.md", MARKDOWN, to="PGM_999999"), "not_found")
    target.refuses(125, document("a.md", MARKDOWN, to="PGM_0x1"), "field_invalid")
    for document_id, code in (("PGM_1-r1-0000", "document_not_removable"), ("PGM_1-r0-9999", "not_found")):
        target.refuses(125, Sent(method="DELETE", path=f"{PATH}/{document_id}"), code)


def test_126_the_same_key_for_another_document(target: Target) -> None:
    key = {"Idempotency-Key": f"case-126-{time.time_ns()}"}
    first, other = document("a.md", MARKDOWN), document("a.md", MARKDOWN + b"!")
    target.accepts(126, Sent(path=PATH, body=first.body, headers={**first.headers, **key}))
    target.refuses(126, Sent(path=PATH, body=other.body, headers={**other.headers, **key}))


def test_127_a_document_in_another_wrapping(target: Target) -> None:
    good = document("a.md", MARKDOWN)
    target.refuses(127, document("a.md", MARKDOWN, headers="\r\nContent-Type: image/png"), "type_mismatch")
    target.refuses(
        127,
        Sent(path=PATH, body=good.body, headers={**good.headers, "Content-Encoding": "gzip"}),
        "encoding_unsupported",
    )
    raw = Sent(path=PATH, body=OF_EACH_KIND["manual.pdf"], headers={"Content-Type": "application/pdf"})
    target.refuses(127, raw, "media_type_unsupported")
