"""Which vectors an index holds: vectors of two models, or of two renderings of the chunks, are never mixed."""

from dataclasses import dataclass

from domain.ports.embedder import EmbeddingModel


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexKey:
    """Two processes share an index if, and only if, their keys are equal."""

    model: EmbeddingModel
    rendering_version: int

    def __str__(self) -> str:
        return f"{self.model.name}, {self.model.dimension} dimensions, rendering {self.rendering_version}"
