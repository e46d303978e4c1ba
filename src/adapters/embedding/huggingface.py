"""Embeddings by Hugging Face: Text Embeddings Inference (POST …/embed) and the Inference API, which speak alike."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from adapters.embedding.answers import Rows, rows_of
from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.provider import Provider
from adapters.embedding.remote import Wire, opened_remote
from domain.ports.embedder import Embedder, EmbeddingModel

HUGGINGFACE = Provider(
    name="huggingface",
    own_key_setting="HUGGINGFACE_API_KEY",
    default_model="BAAI/bge-m3",  # many languages, and needs no prefix that tells queries from documents
    dimensions={
        "BAAI/bge-m3": 1024,
        "intfloat/multilingual-e5-small": 384,
        "intfloat/multilingual-e5-base": 768,
        "intfloat/multilingual-e5-large": 1024,
        "intfloat/multilingual-e5-large-instruct": 1024,
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": 384,
        "sentence-transformers/paraphrase-multilingual-mpnet-base-v2": 768,
    },
)
_INFERENCE_API = "/pipeline/feature-extraction"

_ANSWER = msgspec.json.Decoder(list[list[float | None]])


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceWire(Wire):
    """The model is the server's own, or stands in the address. Texts that are too long are cut by the server."""

    most_texts: int = 2_048

    def question(self, texts: Sequence[str]) -> object:
        """The same for both."""
        return {"inputs": texts, "normalize": True, "truncate": True}

    def rows(self, answer: bytes, *, model: EmbeddingModel) -> Rows:
        """In the order of the texts; a model that answers one vector per token is none of sentences."""
        return rows_of(_ANSWER.decode(answer), model=model)


@asynccontextmanager
async def opened(options: EmbeddingOptions) -> AsyncIterator[Embedder]:
    """The embedder: a TEI server at EMBEDDING_BASE_URL, or the Inference API where that is blank."""
    name = quote(HUGGINGFACE.model_name(options), safe="/")
    own = f"https://router.huggingface.co/hf-inference/models/{name}{_INFERENCE_API}"
    path = _INFERENCE_API if options.base_url.rstrip("/").endswith(_INFERENCE_API) else "/embed"
    url = HUGGINGFACE.url(options, own=own, path=path)
    async with opened_remote(HuggingFaceWire(), HUGGINGFACE, options, url) as embedder:
        yield embedder
