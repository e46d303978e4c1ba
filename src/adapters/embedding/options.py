"""What the settings say about an embedder."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions:
    """Plain values. Blank texts and None are unset: the embedder's own default holds, where it has one.

    `timeout_s` is what one batch of texts may take, every retry included. Texts are cut at `max_characters`.
    """

    model_name: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    dimension: int | None = None
    batch_size: int = 32
    concurrency: int = 4
    timeout_s: float = 30.0
    max_characters: int = 2_000
