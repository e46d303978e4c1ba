"""Embeddings by Cohere's second API: POST …/v2/embed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from adapters.embedding.answers import Rows, rows_of
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.provider import Provider
from adapters.embedding.remote import Wire, opened_remote
from domain.ports.embedder import Embedder, EmbeddingModel

COHERE = Provider(
    name="cohere",
    own_key_setting="COHERE_API_KEY",
    default_model="embed-v4.0",
    dimensions={
        "embed-v4.0": 1536,
        "embed-multilingual-v3.0": 1024,
        "embed-multilingual-light-v3.0": 384,
        "embed-english-v3.0": 1024,
        "embed-english-light-v3.0": 384,
    },
    shortenable=frozenset({"embed-v4.0"}),
)
_PATH = "/embed"


class _Embeddings(msgspec.Struct):
    floats: list[list[float | None]] = msgspec.field(name="float")


class _Answer(msgspec.Struct):
    embeddings: _Embeddings


_ANSWER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class CohereWire(Wire):
    """Every text is a `search_document`, the questions too: vectors of one kind are comparable (ADR 10)."""

    model_name: str
    dimensions: int | None
    most_texts: int = 96

    def question(self, texts: Sequence[str]) -> object:
        """Texts that are too long are cut by the server."""
        shortened = {} if self.dimensions is None else {"output_dimension": self.dimensions}
        return {
            "model": self.model_name,
            "texts": texts,
            "input_type": "search_document",
            "embedding_types": ["float"],
            "truncate": "END",
            **shortened,
        }

    def rows(self, answer: bytes, *, model: EmbeddingModel) -> Rows:
        """In the order of the texts: the answer has no numbers."""
        return rows_of(_ANSWER.decode(answer).embeddings.floats, model=model)


@asynccontextmanager
async def opened(options: EmbeddingOptions) -> AsyncIterator[Embedder]:
    """The embedder. EMBEDDING_BASE_URL includes the version, as in https://api.cohere.com/v2."""
    wire = CohereWire(model_name=COHERE.model_name(options), dimensions=COHERE.shortened_to(options))
    url = COHERE.url(options, own=f"https://api.cohere.com/v2{_PATH}", path=_PATH)
    async with opened_remote(wire, COHERE, options, url) as embedder:
        yield embedder
