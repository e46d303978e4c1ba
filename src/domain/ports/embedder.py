"""What turns texts into vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.vectors import Vectors

TEXT_REFUSED = "text_refused"
"""The code of a text that the model takes at no length, or finds no direction for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """Which model made a vector: vectors of two models never share a collection."""

    name: str
    dimension: int


class Embedder(Protocol):
    """A sentence embedder for Korean, Japanese, Chinese and English in one space."""

    @property
    def model(self) -> EmbeddingModel:
        """The model in use, the same for the life of the embedder."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One finite, unit-length vector per text, in the order of the texts.

        Raises UnavailableError when the model cannot answer now, MisconfiguredError when what it answers
        is not what the settings say (dimension), and UnindexableError under TEXT_REFUSED when it takes other texts,
        but one of these never. Repeatable.
        """
        ...
