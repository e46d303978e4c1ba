"""An embedder that needs no model: tokens hashed into a few dimensions. And one that fails as scripted."""

import math
import unicodedata
import zlib
from array import array
from collections.abc import Sequence

from domain.errors import UnavailableError
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.vectors import Vectors


class HashingEmbedder(Embedder):
    """Texts that share tokens are near each other; nothing else means anything."""

    def __init__(self, *, name: str = "hashing", dimension: int = 64) -> None:
        self._model = EmbeddingModel(name=name, dimension=dimension)

    @property
    def model(self) -> EmbeddingModel:
        return self._model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return Vectors(dimension=self._model.dimension, buffer=b"".join(self._vector(text) for text in texts))

    def _vector(self, text: str) -> bytes:
        values = [0.0] * self._model.dimension
        for token in unicodedata.normalize("NFKC", text).lower().split():
            digest = zlib.crc32(token.encode(errors="ignore"))
            values[digest % self._model.dimension] += 1.0 if digest & 0x10000 else -1.0
        length = math.hypot(*values)
        if length == 0:
            values[0] = length = 1.0
        return array("f", (value / length for value in values)).tobytes()


class UnavailableEmbedder(Embedder):
    """Another embedder that fails its first `failures` calls."""

    def __init__(self, embedder: Embedder, *, failures: int) -> None:
        self._embedder = embedder
        self.failures_left = failures

    @property
    def model(self) -> EmbeddingModel:
        return self._embedder.model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        if self.failures_left > 0:
            self.failures_left -= 1
            raise UnavailableError("embedder", "as scripted")
        return await self._embedder.embed(texts)
