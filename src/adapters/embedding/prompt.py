"""An embedder for those who wait for its answer: it comes in time, or it does not come."""

import asyncio
import time
from collections.abc import Callable, Sequence

from adapters.breaker import Breaker
from domain.errors import UnavailableError
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.vectors import Vectors


class PromptEmbedder(Embedder):
    """Another embedder with a deadline of `timeout_s` for each call, its turn and its retries included.

    After three calls without an answer the next ones fail at once for a while (see Breaker). Whoever embeds documents
    asks the other one itself, and is kept from nothing by either.
    """

    def __init__(self, embedder: Embedder, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._embedder = embedder
        self._timeout_s = timeout_s
        self._breaker = Breaker("embedder", clock=clock)

    @property
    def model(self) -> EmbeddingModel:
        """That of the other one."""
        return self._embedder.model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See the port."""
        with self._breaker.call():
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._embedder.embed(texts)
            except TimeoutError as error:
                raise UnavailableError("embedder", f"no answer within {self._timeout_s:g} s") from error
