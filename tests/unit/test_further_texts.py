"""Texts and PDFs: cut by heading, paragraph and page, in pieces that are embedded whole."""

import pytest

from adapters.plc_files.further_passages import read_passages
from builders.documents import a_document
from builders.pdfs import a_page, a_pdf, a_pdf_in, pdf_stream
from domain.chunking import MAX_DENSE_CHARACTERS
from domain.further.passages import MOST_PASSAGES, PASSAGE_CHARACTERS, Passage, bounded, passage_chunks, pieces_of
from domain.ladder.table import TableError
from domain.upload import UploadLimits

LIMITS = UploadLimits()


def read(text: str, name: str = "a.md") -> list[tuple[str, str]]:
    return [(passage.place, passage.text) for passage in read_passages(text.encode(), name, LIMITS)]


def test_a_passage_stands_under_its_headings() -> None:
    text = "서문\n\n# 펌프\n\n점검한다.\n\n## 기동\n\nPress X7.\n\n# 밸브 #\n잠근다."
    assert read(text) == [
        ("", "서문"),
        ("펌프", "펌프\n점검한다."),
        ("펌프 / 기동", "기동\nPress X7."),
        ("밸브", "밸브\n잠근다."),
    ]


def test_underlined_headings_are_headings_and_rules_are_not() -> None:
    assert read("제목\n====\n\n본문\n\n절\n---\n끝\n\n---\n") == [("제목", "제목\n본문"), ("제목 / 절", "절\n끝\n---")]


def test_a_comment_in_code_is_no_heading() -> None:
    assert read("# A\n```\n# not\n```\n") == [("A", "A\n```\n# not\n```")]


def test_a_text_has_no_headings() -> None:
    assert read("# A\nb", "a.txt") == [("", "# A\nb")]


def test_neighbouring_paragraphs_share_a_passage_as_long_as_they_fit() -> None:
    paragraphs = [f"{number} " + "가" * 150 for number in range(4)]
    assert [text.count("\n") for _, text in read("\n\n".join(paragraphs), "a.txt")] == [1, 1]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "The valve is closed before the pump stops. "
    pieces = list(pieces_of(sentence * 40))
    assert all(piece.endswith("stops.") and len(piece) <= PASSAGE_CHARACTERS for piece in pieces)
    assert sum(piece.count("valve") for piece in pieces) == 40


def test_what_has_no_place_to_be_cut_is_cut_all_the_same() -> None:
    assert [len(piece) for piece in pieces_of("가" * 700)] == [320, 320, 60]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_text_is_read_in_the_encodings_in_which_it_comes(encoding: str) -> None:
    (passage,) = read_passages("비상 정지는 X0 으로 한다".encode(encoding), "a.txt", LIMITS)
    assert passage.text == "비상 정지는 X0 으로 한다"


def test_the_pages_of_a_pdf_are_places() -> None:
    content = a_pdf("냉각수 밸브를 잠근다.\nFirst.", "", "Grease the ball screw.")
    assert read_passages(content, "a.pdf", LIMITS) == (
        Passage(place="page 1", text="냉각수 밸브를 잠근다.\nFirst."),
        Passage(place="page 3", text="Grease the ball screw."),
    )


def test_a_scan_holds_no_text() -> None:
    assert refusal(a_pdf("", ""), "a.pdf") == "document_without_text"


@pytest.mark.parametrize("resources", ["", "/Resources 9 0 R", "/Resources << /Font null >>", "/Resources << >>"])
def test_a_page_without_fonts_is_no_damage(resources: str) -> None:
    page = f"/MediaBox [0 0 595 842] /Contents 5 0 R {resources}"
    assert refusal(a_page(pdf_stream(b"q Q"), page=page), "a.pdf") == "document_without_text"


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv"])
@pytest.mark.parametrize("content", [b"\n \n", b"\xef\xbb\xbf"])
def test_blanks_hold_no_text(name: str, content: bytes) -> None:
    assert refusal(content, name) == "document_without_text"


@pytest.mark.parametrize(
    ("encoding", "codec", "text"),
    [
        ("KSCms-UHC-H", "cp949", "컨베이어 똠 stop"),
        ("KSC-EUC-H", "euc_kr", "비상 정지"),
        ("KSC-Johab-V", "johab", "비상 정지"),
        ("90msp-RKSJ-H", "cp932", "非常停止ボタン X0"),
        ("EUC-H", "euc_jp", "非常停止ボタン"),
        ("UniKS-UCS2-H", "utf-16-be", "비상 정지"),
        ("UniKS-UTF16-H", "utf-16-be", "비상 정지"),
    ],
)
def test_a_font_is_read_by_the_encoding_that_it_names(encoding: str, codec: str, text: str) -> None:
    (passage,) = read_passages(a_pdf_in(encoding, text.encode(codec)), "a.pdf", LIMITS)
    assert passage.text == text


def test_a_font_of_an_encoding_that_is_not_read_makes_no_other_text() -> None:
    with pytest.raises(TableError) as caught:
        read_passages(a_pdf_in("EUC-Unheard-H", b"\xb0\xa1"), "a.pdf", LIMITS)
    assert (caught.value.code, "EUC-Unheard-H" in str(caught.value)) == ("document_without_text", True)


def test_a_protected_pdf_is_told() -> None:
    trailer = "/Encrypt << /Filter /Standard /V 1 /R 2 /O <00> /U <00> /P -4 >> /ID [<00> <00>]"
    assert refusal(a_pdf("secret", trailer=trailer), "a.pdf") in {"pdf_encrypted", "pdf_corrupt"}


def test_more_passages_than_are_indexed_are_refused_and_not_cut() -> None:
    passages = [Passage(place="page 9", text="x")] * (MOST_PASSAGES + 1)
    assert len(bounded(passages[1:])) == MOST_PASSAGES
    with pytest.raises(TableError) as caught:
        bounded(passages)
    assert (caught.value.code, "page 9" in str(caught.value)) == ("document_too_long", True)


def test_a_chunk_says_document_place_and_text() -> None:
    document = a_document(document_name="manual.pdf", title="")
    passage = Passage(place="Sheet1, row 4", text="유량 (L/min): 120", heading="Sheet1")
    (chunk,) = passage_chunks([passage], document)
    assert (chunk.title, chunk.ladder) == ("manual.pdf, Sheet1, row 4", "유량 (L/min): 120")
    assert chunk.dense_text == "manual.pdf Sheet1. 유량 (L/min): 120"
    assert "120" in chunk.lexical_text.split()


def test_the_longest_passage_is_embedded_whole_under_the_longest_title() -> None:
    document = a_document(document_name="x.pdf", title="제" * 200)
    (chunk,) = passage_chunks([Passage(place="page 1", text="가" * (PASSAGE_CHARACTERS - 1) + "끝")], document)
    assert len(chunk.dense_text) <= MAX_DENSE_CHARACTERS
    assert chunk.dense_text.endswith("끝")


def refusal(content: bytes, name: str) -> str:
    with pytest.raises(TableError) as caught:
        read_passages(content, name, LIMITS)
    return caught.value.code
