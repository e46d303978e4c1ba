"""What is known of a provider of embeddings, held against what the settings say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from adapters.embedding.options import EmbeddingOptions
from domain.errors import MisconfiguredError
from domain.ports.embedder import EmbeddingModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """`dimensions` holds those of known models; a `shortenable` one answers with fewer where it is asked to.

    `own_key_setting` is the setting for the key of this provider alone, where there is one.
    """

    name: str
    default_model: str
    dimensions: Mapping[str, int]
    shortenable: frozenset[str] = field(default_factory=frozenset)
    own_key_setting: str = ""

    @property
    def key_settings(self) -> str:
        """Where the key may come from, in words."""
        return " or ".join(filter(None, ("EMBEDDING_API_KEY", self.own_key_setting)))

    def model_name(self, options: EmbeddingOptions) -> str:
        """The model's name as the provider knows it. Raises MisconfiguredError.

        A server of one's own has models of its own: the collection in Milvus is named after the one that is told.
        """
        if options.base_url and not options.model_name:
            raise MisconfiguredError("the setting EMBEDDING_MODEL_NAME is missing: EMBEDDING_BASE_URL needs it")
        return options.model_name or self.default_model

    def model(self, options: EmbeddingOptions) -> EmbeddingModel:
        """The model by its full name. Raises MisconfiguredError where nobody says its dimension, or two differ."""
        name = self.model_name(options)
        known = self.dimensions.get(name)
        dimension = options.dimension or known
        if dimension is None:
            raise MisconfiguredError(
                "the setting MILVUS_EMBEDDING_DIM is missing: the dimension of that model is not known here"
            )
        if known not in {None, dimension} and name not in self.shortenable:
            raise MisconfiguredError(
                f"the setting MILVUS_EMBEDDING_DIM is not the dimension of the embedding model, {known}"
            )
        return EmbeddingModel(name=f"{self.name}:{name}", dimension=dimension)

    def shortened_to(self, options: EmbeddingOptions) -> int | None:
        """The dimension to ask for; None where that is the model's own, and servers need not know the question."""
        name = self.model_name(options)
        asked = options.dimension
        return asked if name in self.shortenable and asked != self.dimensions[name] else None

    def url(self, options: EmbeddingOptions, *, own: str, path: str) -> httpx.URL:
        """EMBEDDING_BASE_URL with the path behind it, unless it ends so already; else the provider's `own` address.

        A query string is kept. Raises MisconfiguredError where it is no address, or the provider needs a key.
        """
        if not options.base_url:
            if not options.api_key:
                raise MisconfiguredError(f"the setting {self.own_key_setting or self.key_settings} is missing")
            return httpx.URL(own)
        try:
            url = httpx.URL(options.base_url)
        except httpx.InvalidURL as error:
            raise MisconfiguredError("the setting EMBEDDING_BASE_URL is no address") from error
        if url.scheme not in {"http", "https"} or not url.host:
            raise MisconfiguredError("the setting EMBEDDING_BASE_URL is no address")
        before = url.path.rstrip("/")
        return url.copy_with(path=before if before.endswith(path) else before + path)
