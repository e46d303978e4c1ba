"""What every embedder promises."""

import asyncio
from array import array

import pytest

from domain.ports.embedder import Embedder
from domain.vectors import Vectors


def values(vectors: Vectors, index: int) -> "array[float]":
    return array("f", bytes(vectors.row(index)))


def cosine(vectors: Vectors, left: int, right: int) -> float:
    return sum(a * b for a, b in zip(values(vectors, left), values(vectors, right), strict=True))


class EmbedderContract:
    async def test_each_text_gets_a_finite_vector_of_unit_length(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(["컨베이어 비상 정지", "サーボ 異常", "伺服 报警", "conveyor stop"])
        assert len(vectors) == 4
        assert vectors.dimension == embedder.model.dimension
        assert vectors.are_finite()
        assert [cosine(vectors, row, row) for row in range(4)] == pytest.approx([1.0] * 4, abs=1e-4)

    async def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        vectors = await embedder.embed([])
        assert (len(vectors), vectors.dimension) == (0, embedder.model.dimension)

    @pytest.mark.parametrize(
        "text", ["", "   ", "\0", "\ud800", "모터\udfff", "\ufdfa" * 12, "👷🏽", "x" * 5_000, "가" * 5_000]
    )
    async def test_any_text_has_a_vector(self, embedder: Embedder, text: str) -> None:
        vectors = await embedder.embed([text])
        assert len(vectors) == 1
        assert vectors.are_finite()
        assert cosine(vectors, 0, 0) == pytest.approx(1.0, abs=1e-4)

    async def test_vectors_come_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        texts = [f"라인 {number} 모터 {number % 7} 정지" for number in range(70)]
        together = await embedder.embed(texts)
        for place in (0, 1, 31, 32, 33, 63, 64, 69):
            alone = await embedder.embed([texts[place]])
            assert values(together, place).tolist() == pytest.approx(values(alone, 0).tolist(), abs=1e-4)

    async def test_callers_at_once_get_their_own_answers(self, embedder: Embedder) -> None:
        texts = [[f"실린더 {caller} 전진 {number}" for number in range(20)] for caller in range(4)]
        at_once = await asyncio.gather(*(embedder.embed(own) for own in texts))
        for own, vectors in zip(texts, at_once, strict=True):
            assert await embedder.embed(own) == vectors

    async def test_more_texts_than_any_batch_holds_are_embedded_alike(self, embedder: Embedder) -> None:
        texts = [f"펌프 {number} 기동" for number in range(300)]
        vectors = await embedder.embed(texts)
        assert len(vectors) == 300
        alone = await embedder.embed(texts[299:])
        assert values(vectors, 299).tolist() == pytest.approx(values(alone, 0).tolist(), abs=1e-4)

    async def test_the_same_text_twice_gives_the_same_vector_twice(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(["원점 복귀", "자동 운전", "원점 복귀"])
        assert cosine(vectors, 0, 2) == pytest.approx(1.0, abs=1e-4)

    async def test_a_caller_that_gives_up_disturbs_nobody(self, embedder: Embedder) -> None:
        await embedder.embed(["준비"])
        given_up = asyncio.create_task(embedder.embed([f"리프트 {number} 상승" for number in range(200)]))
        await asyncio.sleep(0.005)
        given_up.cancel()
        assert len(await embedder.embed(["도어 열림"])) == 1
        await asyncio.gather(given_up, return_exceptions=True)

    async def test_the_model_has_one_name_and_one_dimension_for_life(self, embedder: Embedder) -> None:
        before = embedder.model
        await embedder.embed(["준비"])
        assert embedder.model == before
        assert before.name.strip()
        assert before.dimension >= 1

    async def test_like_texts_are_nearer_than_unlike_ones(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(["모터 과부하 알람", "모터 과부하 트립", "도어 열림 확인"])
        assert cosine(vectors, 0, 1) > cosine(vectors, 0, 2)

    async def test_compatible_forms_of_a_text_are_one_text(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(["ｻｰﾎﾞ １", "サーボ 1"])
        assert cosine(vectors, 0, 1) == pytest.approx(1.0, abs=1e-4)
