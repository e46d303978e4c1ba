"""What every embedder's answer is held to before it becomes vectors."""

import numpy as np
import numpy.typing as npt

from domain.errors import MisconfiguredError
from domain.ports.embedder import EmbeddingModel
from domain.vectors import Vectors


def unit_vectors(rows: npt.NDArray[np.float32], *, model: EmbeddingModel, count: int) -> Vectors:
    """`count` rows of the model's dimension, each scaled to length one.

    Raises MisconfiguredError for other counts, other dimensions, and for rows that are zero or not finite:
    the same texts would give the same answer again.
    """
    if rows.shape != (count, model.dimension):
        raise MisconfiguredError(f"{model.name} answered {rows.shape}, not {count} vectors of {model.dimension}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise MisconfiguredError(f"{model.name} answered vectors that are zero or not finite")
    return Vectors(dimension=model.dimension, buffer=(rows / lengths).astype(np.float32).tobytes())
