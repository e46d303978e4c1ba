"""The embedders by the name that EMBEDDING_MODEL gives them. A new one is a module and a line here."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from adapters.embedding import cohere, embedded, huggingface, openai
from adapters.embedding.options import EmbeddingOptions
from domain.errors import MisconfiguredError
from domain.ports.embedder import Embedder

EMBEDDERS: Mapping[str, Callable[[EmbeddingOptions], AbstractAsyncContextManager[Embedder]]] = {
    "cohere": cohere.opened,
    "embedded": embedded.opened,
    "huggingface": huggingface.opened,
    "openai": openai.opened,
}


def embedder_named(name: str, options: EmbeddingOptions) -> AbstractAsyncContextManager[Embedder]:
    """Open the embedder of that name. Raises MisconfiguredError for a name that nobody has."""
    if name not in EMBEDDERS:
        raise MisconfiguredError(f"the setting EMBEDDING_MODEL is not one of {', '.join(sorted(EMBEDDERS))}")
    return EMBEDDERS[name](options)
