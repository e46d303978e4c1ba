"""An embedder behind HTTP: batches, bounded concurrency, retries, and no answer taken on trust."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
import msgspec

from adapters.embedding.answers import NO_DIRECTION, Rows, unit_vectors
from adapters.embedding.json_endpoint import JsonEndpoint, RefusedError, opened_endpoint, refusal_of_everything
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.provider import Provider
from adapters.embedding.retries import PassingError, retried
from adapters.embedding.texts import sendable
from application.together import together
from domain.errors import MisconfiguredError, UnavailableError, UnindexableError
from domain.ports.embedder import TEXT_REFUSED, Embedder, EmbeddingModel
from domain.vectors import Vectors

# A float64 has 17 digits, a sign, an exponent; printed one to a line, a comma and the indentation too.
_LARGEST_NUMBER = 48
_LARGEST_REST = 1 << 20
# Some servers send the texts back; what is 2 bytes of UTF-8 may come as the 6 of an escape.
_LARGEST_ECHO = 3

# No server that answers at all refuses this one.
_HARMLESS = "ready?"
# Less of a text than this says nothing of it any more.
_SHORTEST_TEXT = 16

# JSON has no word for these, but Python's and others write them all the same.
_NOT_FINITE = re.compile(rb"[\[,:]\s*-?(NaN|Infinity)\b")
_log = logging.getLogger(__name__)


class Wire(Protocol):
    """How one kind of server is asked, and how it answers."""

    most_texts: int

    def question(self, texts: Sequence[str]) -> object:
        """What is sent for the texts, to be written as JSON."""
        ...

    def rows(self, answer: bytes, *, model: EmbeddingModel) -> Rows:
        """The vectors in the order of the texts.

        Raises msgspec's errors for what is no JSON or has another shape, MisconfiguredError for what cannot
        be vectors of the model.
        """
        ...


class RemoteEmbedder(Embedder):
    """Sends at most `concurrency` batches at once, whoever asks; the wait for a turn counts towards `timeout_s`."""

    def __init__(self, wire: Wire, endpoint: JsonEndpoint, model: EmbeddingModel, options: EmbeddingOptions) -> None:
        self._wire = wire
        self._endpoint = endpoint
        self._model = model
        self._batch_size = min(options.batch_size, wire.most_texts)
        self._concurrency = options.concurrency
        self._slots = asyncio.Semaphore(options.concurrency)
        self._timeout_s = options.timeout_s
        self._max_characters = options.max_characters

    @property
    def model(self) -> EmbeddingModel:
        """The provider and its model, as `provider:model`."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """As the port says. Texts are cut at the characters that the settings allow."""
        size = self._batch_size  # may fall meanwhile
        starts = range(0, len(texts), size)
        to_do = iter(starts)
        buffers: dict[int, bytes] = {}

        async def work() -> None:
            for start in to_do:
                buffers[start] = await self._batch(texts[start : start + size])

        await together(*(work() for _ in range(min(self._concurrency, len(starts)))))
        return Vectors(dimension=self._model.dimension, buffer=b"".join(buffers[start] for start in starts))

    async def _batch(self, texts: Sequence[str]) -> bytes:
        sent = [sendable(text, longest=self._max_characters) for text in texts]
        ends_at = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(ends_at), self._slots:
                try:
                    return await self._asked(sent, ends_at)
                except RefusedError as refusal:
                    await self._require_willing(ends_at)
                    return await self._in_portions(sent, refusal, ends_at)
        except TimeoutError as error:
            raise UnavailableError("embedder", f"no answer within {self._timeout_s:g} s") from error

    async def _require_willing(self, ends_at: float) -> None:
        """Tell a server that refuses some texts, or many, from one that refuses everything."""
        try:
            await self._asked([_HARMLESS], ends_at)
        except RefusedError as error:
            if error.is_passing:
                raise UnavailableError("embedder", error.reason) from error
            raise refusal_of_everything(error.reason) from error

    async def _in_portions(self, texts: Sequence[str], refusal: RefusedError, ends_at: float) -> bytes:
        """Halve what is refused until the text that is to blame stands alone: its neighbours keep their vectors."""
        if len(texts) == 1:
            return await self._shortened(texts[0], refusal, ends_at)
        middle = (len(texts) + 1) // 2
        answers = []
        refused = 0
        for half in (texts[:middle], texts[middle:]):
            try:
                answers.append(await self._asked(half, ends_at))
            except RefusedError as error:
                refused += 1
                answers.append(await self._in_portions(half, error, ends_at))
        if not refused and middle < self._batch_size:  # each text is taken: they were too many
            self._batch_size = middle
            _log.warning("the embedder is sent %d texts at once: lower EMBEDDING_BATCH_SIZE (%s)", middle, refusal)
        return b"".join(answers)

    async def _shortened(self, text: str, refusal: RefusedError, ends_at: float) -> bytes:
        """The vector of as much of the text as the server takes. Raises UnindexableError where it takes nothing."""
        length = len(text) // 2
        while length >= _SHORTEST_TEXT:
            try:
                answer = await self._asked([text[:length].strip() or "."], ends_at)
            except RefusedError as error:
                refusal = error
                length //= 2
            else:
                told = "of a text of %d characters the embedder takes %d: lower EMBEDDING_MAX_CHARACTERS (%s)"
                _log.warning(told, len(text), length, refusal)
                return answer
        if refusal.is_passing:
            raise UnavailableError("embedder", refusal.reason) from refusal
        _log.warning("the embedder refuses one text, however short, and takes others (%s)", refusal)
        raise UnindexableError(TEXT_REFUSED, "the embedding model refuses one of the texts, however short")

    async def _asked(self, texts: Sequence[str], ends_at: float) -> bytes:
        content = msgspec.json.encode(self._wire.question(texts))
        return await retried(lambda: self._ask(content, count=len(texts)), ends_at=ends_at)

    async def _ask(self, content: bytes, *, count: int) -> bytes:
        largest = count * self._model.dimension * _LARGEST_NUMBER + _LARGEST_ECHO * len(content) + _LARGEST_REST
        answer = await self._endpoint.post(content, largest=largest)
        try:
            rows = self._wire.rows(answer, model=self._model)
        except msgspec.ValidationError as error:
            raise MisconfiguredError(f"{self._model.name} answered something else than embeddings: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if _NOT_FINITE.search(answer):
                raise RefusedError(f"{self._model.name} answered {NO_DIRECTION}", is_passing=False) from error
            raise PassingError("its answer is no JSON") from error
        try:
            return unit_vectors(rows, model=self._model, count=count).buffer
        except UnindexableError as error:  # one text may be to blame, or the model, which a harmless text tells
            raise RefusedError(str(error), is_passing=False) from error


@asynccontextmanager
async def opened_remote(
    wire: Wire, provider: Provider, options: EmbeddingOptions, url: httpx.URL, *, key_header: str = "Authorization"
) -> AsyncIterator[Embedder]:
    """The embedder, its connections closed at the end. Nobody is asked yet. Raises MisconfiguredError."""
    async with opened_endpoint(
        url,
        key=options.api_key,
        key_header=key_header,
        key_settings=provider.key_settings,
        connections=options.concurrency,
        attempt_s=options.timeout_s / 2,  # a server that hangs once leaves time for another attempt
    ) as endpoint:
        yield RemoteEmbedder(wire, endpoint, provider.model(options), options)
