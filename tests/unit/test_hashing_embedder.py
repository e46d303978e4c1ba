"""The embedder that tests use keeps the promises of every embedder."""

import pytest

from contracts.embedder import EmbedderContract
from domain.errors import UnavailableError
from domain.ports.embedder import Embedder
from fakes.embedder import HashingEmbedder, UnavailableEmbedder


class TestHashingEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashingEmbedder()


class TestUnavailableEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return UnavailableEmbedder(HashingEmbedder(), failures=0)

    async def test_it_fails_as_often_as_scripted(self) -> None:
        embedder = UnavailableEmbedder(HashingEmbedder(), failures=1)
        with pytest.raises(UnavailableError):
            await embedder.embed(["x"])
        assert len(await embedder.embed(["x"])) == 1
