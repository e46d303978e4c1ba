"""The names of collections: one for each alias, model, dimension, rendering and kind of server."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.milvus.server_kinds import ServerKind
from domain.errors import MisconfiguredError
from domain.index_key import IndexKey

MOST_CHARACTERS = 255  # of a collection's name, which has letters, digits and underscores
_ALIAS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionNames:
    """`<alias>__<model>_<dimension>_r<rendering>`, where nothing after the alias holds two underscores in a row.

    So a name says whose it is: Milvus Lite keeps neither descriptions nor properties, and the alias `plant` must
    not take the collections of `plant_b` for its own. Raises MisconfiguredError for an alias that Milvus refuses.
    """

    alias: str
    key: IndexKey

    def __post_init__(self) -> None:
        if not _ALIAS.fullmatch(self.alias):
            raise MisconfiguredError(
                "the setting MILVUS_COLLECTION_NAME takes at most 128 letters, digits and underscores, no digit first"
            )

    def of(self, kind: ServerKind) -> str:
        """The collection of our key on a server of this kind."""
        tail = f"_{self.key.model.dimension}_r{self.key.rendering_version}{kind.suffix}"
        room = MOST_CHARACTERS - len(self.alias) - len("__") - len(tail)
        return f"{self.alias}__{_slug(self.key.model.name, room)}{tail}"

    def among(self, names: Iterable[str]) -> list[str]:
        """Those that stand behind our alias, whatever their key and kind."""
        ours = re.compile(rf"{self.alias}__(?:[a-z0-9]+_)+[0-9]+_r[0-9]+(?:_dense)?")
        return sorted(name for name in names if ours.fullmatch(name))


def _slug(name: str, room: int) -> str:
    """The name itself where it is legal and fits; else what is left of it, and a hash that tells it from others."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if slug == name and len(slug) <= room:
        return slug
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    beginning = slug[: room - len(digest) - 1].strip("_")
    return f"{beginning}_{digest}" if beginning else digest
