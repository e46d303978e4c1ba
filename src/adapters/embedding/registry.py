"""The embedders by the name that EMBEDDING_MODEL gives them. A new one is a module and a line here."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from adapters.embedding import embedded
from domain.errors import MisconfiguredError
from domain.ports.embedder import Embedder

EMBEDDERS: Mapping[str, Callable[[], AbstractAsyncContextManager[Embedder]]] = {
    "embedded": embedded.opened,
}


def embedder_named(name: str) -> AbstractAsyncContextManager[Embedder]:
    """Open the embedder of that name. Raises MisconfiguredError for a name that nobody has."""
    if name not in EMBEDDERS:
        raise MisconfiguredError(f"EMBEDDING_MODEL is one of {', '.join(sorted(EMBEDDERS))}")
    return EMBEDDERS[name]()
