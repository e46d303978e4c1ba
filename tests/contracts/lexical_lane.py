"""What a vector index promises of its lexical lane, or of having none. The fixtures are those of the index."""

import pytest

from contracts.vector_index import EVERYTHING, HOSTILE, add, document, entry, ids, vectors, write
from domain.document import DocumentType
from domain.errors import MisconfiguredError
from domain.ports.vector_index import VectorIndex
from domain.search import Lane, SearchScope

TOKENS = "m1234 d500bitf k4m0 u2ag31 x0a z0 0000 rung 컨베 コン ー電 圧力 压力 がき 々 é ㅏ".split()


class LexicalLaneContract:
    async def test_the_lane_is_there(self, vector_index: VectorIndex) -> None:
        assert await vector_index.lanes() == {Lane.DENSE, Lane.LEXICAL}

    async def test_an_empty_index_holds_no_token(self, vector_index: VectorIndex) -> None:
        assert await vector_index.lexical(["모터"], EVERYTHING, limit=5) == []

    async def test_chunks_that_hold_more_and_rarer_tokens_come_first(self, vector_index: VectorIndex) -> None:
        texts = ["모터 정지 m1234", "모터 정지", "모터 알람", "정지 m0", "도어 열림"]
        await add(vector_index, *(entry(place, text) for place, text in enumerate(texts)))
        found = await vector_index.lexical(["모터", "m1234"], EVERYTHING, limit=5)
        assert ids(found)[0] == "D1.g1.0"
        assert set(ids(found)) == {"D1.g1.0", "D1.g1.1", "D1.g1.2"}
        assert found[0].lexical_text == "모터 정지 m1234"
        assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
        assert all(candidate.score > 0 for candidate in found)

    async def test_every_token_comes_through_whole(self, vector_index: VectorIndex) -> None:
        for number, token in enumerate(TOKENS):
            whole, parts = f"앞말 {token} zz", f"{token}1 1{token} {token}{token}"
            await add(vector_index, entry(2 * number, whole), entry(2 * number + 1, parts))
        found = {token: ids(await vector_index.lexical([token], EVERYTHING, limit=99)) for token in TOKENS}
        assert found == {token: [f"D1.g1.{2 * number}"] for number, token in enumerate(TOKENS)}

    async def test_no_tokens_find_nothing(self, vector_index: VectorIndex) -> None:
        await add(vector_index, entry())
        assert await vector_index.lexical([], EVERYTHING, limit=5) == []
        assert await vector_index.lexical(["absent"], EVERYTHING, limit=5) == []

    async def test_a_chunk_without_tokens_is_found_by_meaning_alone(self, vector_index: VectorIndex) -> None:
        await add(vector_index, entry(0, ""), entry(1, "모터"))
        assert set(ids(await vector_index.dense(vectors([1]), EVERYTHING, limit=5))) == {"D1.g1.0", "D1.g1.1"}
        assert ids(await vector_index.lexical(["모터"], EVERYTHING, limit=5)) == ["D1.g1.1"]

    async def test_an_endless_text_is_indexed_by_its_beginning(self, vector_index: VectorIndex) -> None:
        await add(vector_index, entry(0, " ".join(["m1234", *["컨베"] * 40_000])), entry(1, "m5"))
        assert ids(await vector_index.lexical(["m1234"], EVERYTHING, limit=5)) == ["D1.g1.0"]

    async def test_a_lexical_search_keeps_to_the_scope(self, vector_index: VectorIndex) -> None:
        await add(
            vector_index,
            entry(ref=document("A")),
            entry(ref=document("B"), logic_id="0001_11"),
            entry(ref=document("C"), folder_id="F2", document_type=DocumentType.TEMPLATE),
            entry(ref=document("D"), pgm_id="PGM_2"),
        )
        for scope, expected in (
            (SearchScope(pgm_id="PGM_2"), {"D.g1.0"}),
            (SearchScope(folder_id="F2"), {"C.g1.0"}),
            (SearchScope(logic_id="0001_11"), {"B.g1.0"}),
            (SearchScope(document_type=DocumentType.TEMPLATE), {"C.g1.0"}),
            (SearchScope(pgm_id="PGM"), set()),
        ):
            assert set(ids(await vector_index.lexical(["모터"], scope, limit=9))) == expected

    async def test_a_hostile_id_limits_a_lexical_search_too(self, vector_index: VectorIndex) -> None:
        await add(vector_index, *(entry(number, folder_id=value) for number, value in enumerate(HOSTILE)))
        for number, value in enumerate(HOSTILE):
            found = await vector_index.lexical(["모터"], SearchScope(folder_id=value), limit=99)
            assert ids(found) == [f"D1.g1.{number}"], value

    async def test_a_lexical_search_gives_no_more_than_asked_for(self, vector_index: VectorIndex) -> None:
        await add(vector_index, *(entry(ordinal) for ordinal in range(20)))
        assert len(await vector_index.lexical(["모터"], EVERYTHING, limit=7)) == 7

    async def test_a_text_that_is_replaced_is_not_found_any_more(self, vector_index: VectorIndex) -> None:
        await write(vector_index, [entry(0, "모터")], vectors([1]))
        await write(vector_index, [entry(0, "도어")], vectors([0, 1]))
        assert await vector_index.lexical(["모터"], EVERYTHING, limit=5) == []
        assert ids(await vector_index.lexical(["도어"], EVERYTHING, limit=5)) == ["D1.g1.0"]


class NoLexicalLaneContract:
    async def test_the_lane_is_declared_off(self, vector_index: VectorIndex) -> None:
        assert await vector_index.lanes() == {Lane.DENSE}

    async def test_a_search_of_the_lane_is_refused_and_not_answered_with_nothing(
        self, vector_index: VectorIndex
    ) -> None:
        await add(vector_index, entry())
        with pytest.raises(MisconfiguredError):
            await vector_index.lexical(["모터"], EVERYTHING, limit=5)
