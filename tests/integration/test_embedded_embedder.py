"""The embedder that ships with the product, with its real model."""

import asyncio
from collections.abc import Iterator

import pytest

from adapters.embedding.embedded import UniversalSentenceEmbedder
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.registry import embedder_named
from contracts.embedder import EmbedderContract, cosine
from domain.ports.embedder import Embedder


@pytest.fixture(scope="module")
def loaded() -> Iterator[UniversalSentenceEmbedder]:
    embedder = UniversalSentenceEmbedder()
    yield embedder
    asyncio.run(embedder.aclose())


class TestUniversalSentenceEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, loaded: UniversalSentenceEmbedder) -> Embedder:
        return loaded

    async def test_meaning_crosses_languages(self, embedder: Embedder) -> None:
        vectors = await embedder.embed(["컨베이어 비상 정지", "conveyor emergency stop", "도어 열림 확인"])
        assert cosine(vectors, 0, 1) > cosine(vectors, 0, 2) + 0.2


async def test_the_event_loop_stays_free_while_the_model_loads_and_computes() -> None:
    async with embedder_named("embedded", EmbeddingOptions()) as embedder:
        embedding = asyncio.create_task(embedder.embed([f"모터 {number} 과부하 알람" for number in range(200)]))
        turns = 0
        while not embedding.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert len(await embedding) == 200
    assert turns > 50
