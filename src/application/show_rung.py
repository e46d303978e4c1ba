"""Show one rung by its id."""

from dataclasses import dataclass

from domain.errors import NotFoundError
from domain.index_key import IndexKey
from domain.ports.catalogue import Catalogue
from domain.search import FoundChunk


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRung:
    """As the index of this process has rendered it."""

    catalogue: Catalogue
    key: IndexKey

    async def __call__(self, rung_id: str) -> FoundChunk:
        """Raises NotFoundError for one that is not visible now."""
        found = await self.catalogue.visible_chunks([rung_id], rendering_version=self.key.rendering_version)
        if rung_id not in found:
            raise NotFoundError("rung", rung_id)
        return found[rung_id]
