"""How rungs and template rows are rendered for the two lanes."""

from builders.documents import a_document
from domain.chunking import MAX_DENSE_CHARACTERS, MAX_LADDER_CHARACTERS, ladder_chunks, template_chunks
from domain.comments import DeviceComments
from domain.ladder.listing import parse_listing
from domain.template import Logic, Template

HEADER = (
    "line\r\nModule Type Information:,RCPU R08\r\n"
    "Step No.,Line Statement,Instruction,I/O (Device),Blank,P/I Statement,Note\r\n"
)
OVERLOAD = (
    "94,[Title]컨베이어 #1 모터 과부하\r\n117,,LDI,X25\r\n118,,AND,D500.F\r\n"
    "119,,SET,M118\r\n,,,,,,알람 발생\r\n120,,END\r\n"
)
COMMENTS = DeviceComments(by_device={"X25": "구동 모터     써멀 트립", "D500": "상태", "M118": "모터 과부하 이상"})


def test_the_dense_text_is_names_only() -> None:
    (chunk,) = ladder_chunks(parse_listing((HEADER + OVERLOAD).encode()), a_document(), COMMENTS)
    assert chunk.dense_text == (
        "이송부/CV1_MAIN 컨베이어 #1 모터 과부하. 알람 발생, 구동 모터 써멀 트립, 상태, 모터 과부하 이상"
    )


def test_a_chunk_shows_what_an_engineer_wants_to_see() -> None:
    (chunk,) = ladder_chunks(parse_listing((HEADER + OVERLOAD).encode()), a_document(), COMMENTS)
    assert (chunk.first_step, chunk.last_step, chunk.title) == (117, 119, "컨베이어 #1 모터 과부하")
    assert chunk.ladder == "LDI X25\nAND D500.F\nSET M118  ; 알람 발생"
    assert [(use.device, use.comment) for use in chunk.devices] == [
        ("X25", "구동 모터 써멀 트립"),
        ("D500.F", "상태"),
        ("M118", "모터 과부하 이상"),
    ]


def test_the_lexical_text_holds_devices_instructions_comments_and_path() -> None:
    (chunk,) = ladder_chunks(parse_listing((HEADER + OVERLOAD).encode()), a_document(), COMMENTS)
    assert {"x25", "d500bitf", "d500", "m118", "ldi", "set", "과부", "트립", "이송", "cv1", "0000"} <= set(
        chunk.lexical_text.split()
    )


def test_a_comment_on_the_bit_beats_the_one_on_its_word() -> None:
    comments = DeviceComments(by_device={"D500": "상태", "D500.F": "고장 비트"})
    (chunk,) = ladder_chunks(parse_listing((HEADER + OVERLOAD).encode()), a_document(), comments)
    assert chunk.devices[1].comment == "고장 비트"


def test_a_rung_without_title_or_comments_still_has_a_text() -> None:
    (chunk,) = ladder_chunks(
        parse_listing((HEADER + "0,,LD,X0\r\n1,,OUT,Y0\r\n").encode()),
        a_document(folder_name="", logic_name="", logic_id="9"),
        DeviceComments(),
    )
    assert chunk.dense_text == "0000_11.csv"


def test_a_monstrous_rung_stays_bounded() -> None:
    body = "0,,LD,X0\r\n" + "".join(f"{i},,SET,M{i}\r\n" for i in range(1, 5_000))
    comments = DeviceComments(by_device={f"M{i}": f"코멘트 {i}" for i in range(5_000)})
    (chunk,) = ladder_chunks(parse_listing((HEADER + body).encode()), a_document(), comments)
    assert len(chunk.dense_text) <= MAX_DENSE_CHARACTERS
    assert len(chunk.ladder) <= MAX_LADDER_CHARACTERS + 2
    assert chunk.ladder.splitlines()[-2] in {f"SET M{i}" for i in range(5_000)}
    assert {f"m{i}" for i in range(1, 5_000)} <= set(chunk.lexical_text.split())


def test_each_logic_of_a_template_is_found_by_path_and_id() -> None:
    logic = Logic(
        row=2, folder_id="0", folder_name="이송부", sub_folder_name="", logic_id="0000_11", logic_name="CV1_MAIN"
    )
    (chunk,) = template_chunks(Template(logics=(logic,)))
    assert (chunk.title, chunk.place.logic_id) == ("이송부/CV1_MAIN", "0000_11")
    assert {"이송", "cv1", "0000", "11"} <= set(chunk.lexical_text.split())
