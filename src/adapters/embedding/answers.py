"""What every embedder's answer is held to before it becomes vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from domain.errors import MisconfiguredError, UnindexableError
from domain.ports.embedder import TEXT_REFUSED, EmbeddingModel
from domain.vectors import Vectors

Rows = npt.NDArray[np.float32]
NO_DIRECTION = "a vector that is zero or not finite"


def unit_vectors(rows: Rows, *, model: EmbeddingModel, count: int) -> Vectors:
    """`count` rows of the model's dimension, each scaled to length one.

    Raises MisconfiguredError for other counts and other dimensions, which no text is to blame for, and
    UnindexableError for rows that are zero or not finite: the same texts would give the same answer again.
    """
    if rows.shape != (count, model.dimension):
        raise MisconfiguredError(f"{model.name} answered {rows.shape}, not {count} vectors of {model.dimension}")
    with np.errstate(over="ignore", invalid="ignore"):  # both are found below
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise UnindexableError(TEXT_REFUSED, f"{model.name} answered {NO_DIRECTION}")
    return Vectors(dimension=model.dimension, buffer=(rows / lengths).astype(np.float32).tobytes())


def rows_of(vectors: Sequence[Sequence[float | None] | bytes], *, model: EmbeddingModel) -> Rows:
    """One row per vector, given as numbers or as their little-endian float32 bytes.

    None, which is how JSON has to write NaN, becomes NaN. Raises MisconfiguredError for another dimension.
    """
    rows = np.empty((len(vectors), model.dimension), dtype=np.float32)
    for row, vector in zip(rows, vectors, strict=True):
        size = len(vector) / 4 if isinstance(vector, bytes) else len(vector)
        if size != model.dimension:
            raise MisconfiguredError(
                f"{model.name} answered a vector of {size:g} values, not of {model.dimension} (MILVUS_EMBEDDING_DIM)"
            )
        with np.errstate(over="ignore"):  # too large for float32: infinite, and refused as such
            row[:] = np.frombuffer(vector, dtype="<f4") if isinstance(vector, bytes) else vector
    return rows
