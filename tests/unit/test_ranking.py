"""The gate, the fusion, and the devices first."""

from domain.chunk import Place
from domain.document import DocumentType
from domain.ranking import Question, fuse
from domain.search import Candidate, FoundChunk, Lane


def found(*chunk_ids: str, document_type: DocumentType = DocumentType.LADDER_CSV) -> dict[str, FoundChunk]:
    return {
        chunk_id: FoundChunk(
            chunk_id=chunk_id,
            pgm_id="PGM_1",
            document_id="d",
            document_name="d.csv",
            document_type=document_type,
            place=Place(),
            first_step=None,
            last_step=None,
            title="",
            ladder="",
            devices=(),
        )
        for chunk_id in chunk_ids
    }


def candidates(**lexical_texts: str) -> list[Candidate]:
    return [
        Candidate(chunk_id=chunk_id, score=1.0 - place / 10, lexical_text=text)
        for place, (chunk_id, text) in enumerate(lexical_texts.items())
    ]


def ranked(
    query: str, *, dense: list[Candidate], lexical: list[Candidate], visible: dict[str, FoundChunk]
) -> list[str]:
    return [
        hit.chunk.chunk_id for hit in fuse(Question.of(query), dense=dense, lexical=lexical, visible=visible, limit=10)
    ]


def test_a_rung_with_every_device_of_the_query_comes_before_better_sounding_ones() -> None:
    dense = candidates(a="m1235 정지", b="m9 정지", c="m1234 기동")
    assert ranked("M1234 정지", dense=dense, lexical=[], visible=found("a", "b", "c"))[0] == "c"


def test_a_lexical_hit_that_holds_too_little_of_the_query_does_not_count() -> None:
    lexical = candidates(a="컨베 베이 이어", b="컨베 정지 비상 상정")
    hits = fuse(Question.of("비상정지 컨베"), dense=[], lexical=lexical, visible=found("a", "b"), limit=10)
    assert [hit.chunk.chunk_id for hit in hits] == ["b"]


def test_one_word_of_two_is_an_accident() -> None:
    lexical = candidates(a="unlock valve", b="unlock door")
    assert ranked("unlock the door", dense=[], lexical=lexical, visible=found("a", "b")) == ["b"]


def test_a_template_row_that_merely_sounds_alike_comes_after_the_rungs() -> None:
    visible = found("row", "named", document_type=DocumentType.TEMPLATE) | found("rung")
    dense = candidates(row="이송 cv1", named="정지 회로", rung="conveyor")
    assert ranked("정지 회로", dense=dense, lexical=[], visible=visible) == ["named", "rung", "row"]


def test_all_devices_are_enough_whatever_else_is_missing() -> None:
    lexical = candidates(a="ld m1234")
    assert ranked("M1234 언제 켜지는지 알려줘", dense=[], lexical=lexical, visible=found("a")) == ["a"]


def test_a_chunk_that_both_lanes_find_beats_one_that_one_finds() -> None:
    both = candidates(a="정지 요청", b="정지 요청")
    hits = fuse(Question.of("정지 요청"), dense=both, lexical=both[1:], visible=found("a", "b"), limit=10)
    assert [hit.chunk.chunk_id for hit in hits] == ["b", "a"]
    assert hits[0].lanes == (Lane.DENSE, Lane.LEXICAL)
    assert hits[1].lanes == (Lane.DENSE,)


def test_what_is_not_visible_takes_no_rank() -> None:
    dense = candidates(gone="정지", a="정지")
    hits = fuse(Question.of("정지"), dense=dense, lexical=[], visible=found("a"), limit=10)
    assert [(hit.chunk.chunk_id, round(hit.score, 6)) for hit in hits] == [("a", round(1 / 61, 6))]


def test_an_id_that_an_index_returns_twice_is_one_hit() -> None:
    twice = candidates(a="정지") * 2
    assert ranked("정지", dense=twice, lexical=[], visible=found("a")) == ["a"]


def test_the_limit_holds() -> None:
    many = candidates(**{f"c{i}": "정지" for i in range(30)})
    hits = fuse(Question.of("정지"), dense=many, lexical=[], visible=found(*(c.chunk_id for c in many)), limit=7)
    assert len(hits) == 7
