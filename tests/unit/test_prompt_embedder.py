"""Whoever waits for an embedding gets it in time, or an error; and a dead embedder is not asked by everybody."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from litestar.testing import AsyncTestClient

from adapters.embedding.prompt import PromptEmbedder
from builders.service import a_service
from contracts.embedder import EmbedderContract
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.embedder import Embedder
from domain.vectors import Vectors
from entrypoints.api.app import create_app
from fakes.embedder import HashingEmbedder, UnavailableEmbedder

PROMPTLY_S = 0.02


class HangingEmbedder(HashingEmbedder):
    """Never answers while `hangs`; `asked` counts the calls."""

    hangs = True
    asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        return await super().embed(texts)


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class TestPromptEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return PromptEmbedder(HashingEmbedder(), timeout_s=20)


async def test_a_hanging_embedder_is_given_up_at_the_deadline_and_after_three_times_asked_by_one_alone() -> None:
    hanging, clock = HangingEmbedder(), Clock()
    prompt = PromptEmbedder(hanging, timeout_s=PROMPTLY_S, clock=clock)
    for _ in range(3):
        with pytest.raises(UnavailableError, match=r"no answer within 0\.02 s"):
            await prompt.embed(["정지"])
    for _ in range(20):
        with pytest.raises(UnavailableError, match="asked again soon"):
            await prompt.embed(["정지"])
    assert hanging.asked == 3
    clock.now_s += 2.0
    hanging.hangs = False
    assert len(await prompt.embed(["정지"])) == 1
    assert len(await prompt.embed(["정지"])) == 1


async def test_an_embedder_that_is_down_is_spared_as_well() -> None:
    down = UnavailableEmbedder(HashingEmbedder(), failures=4)
    prompt = PromptEmbedder(down, timeout_s=PROMPTLY_S, clock=Clock())
    for _ in range(10):
        with pytest.raises(UnavailableError):
            await prompt.embed(["정지"])
    assert down.failures_left == 1


async def test_a_refused_key_is_told_each_time() -> None:
    class Refused(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            raise MisconfiguredError("the embedder refuses the key")

    prompt = PromptEmbedder(Refused(), timeout_s=PROMPTLY_S, clock=Clock())
    for _ in range(5):
        with pytest.raises(MisconfiguredError):
            await prompt.embed(["정지"])


async def test_a_search_on_a_hanging_embedder_is_a_503_that_says_when_to_come_again(tmp_path: Path) -> None:
    prompt = PromptEmbedder(HangingEmbedder(), timeout_s=PROMPTLY_S)
    service = await a_service(tmp_path, query_embedder=prompt)
    await service.register()
    await service.work()  # by the other embedder, which nothing hurries
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.post("/v1/search", json={"query": "정지"})
        lexical = await client.post("/v1/search", json={"query": "X0", "mode": "lexical"})
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")
    assert (lexical.status_code, len(lexical.json()["hits"]) > 0) == (200, True)
