"""Embedding vectors as one buffer: no list of floats, no array library in the core."""

import math
from array import array
from dataclasses import dataclass

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Row-major native float32 values; `buffer` holds len(self) * dimension of them."""

    dimension: int
    buffer: bytes

    def __post_init__(self) -> None:
        if self.dimension < 1 or len(self.buffer) % (self.dimension * _FLOAT_BYTES):
            raise ValueError(f"{len(self.buffer)} bytes are no rows of {self.dimension} floats")

    def __len__(self) -> int:
        return len(self.buffer) // (self.dimension * _FLOAT_BYTES)

    def row(self, index: int) -> memoryview:
        """The bytes of one vector, not copied."""
        width = self.dimension * _FLOAT_BYTES
        return memoryview(self.buffer)[index * width : (index + 1) * width]

    def are_finite(self) -> bool:
        """Whether no value is NaN or infinite: either would poison the sum."""
        return math.isfinite(sum(array("f", self.buffer)))
