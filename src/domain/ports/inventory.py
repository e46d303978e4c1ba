"""What the system of record says that the vector index must hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.document import Document, DocumentRef
from domain.index_key import IndexKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StockedDocument:
    """A document of a live program's current revision, with what else is recorded of it, all of one moment.

    `chunk_rows` counts its chunks at its generation in the index's rendering. `is_held` says that it is recorded
    as held by the index, `is_due` that it ought to be: the index is the current one and complete. `is_moving`
    says that an event which is not done names it at its generation. `use_rows` counts what it does to devices,
    `use_count` is how many were recorded, None where nobody noted that.
    """

    document: Document
    chunk_rows: int
    is_held: bool
    is_due: bool
    is_moving: bool
    use_rows: int = 0
    use_count: int | None = None


class Inventory(Protocol):
    """Reads for one index. Raises UnavailableError like every port."""

    async def documents(self, key: IndexKey, *, after: str, limit: int) -> Sequence[StockedDocument]:
        """Those with the least ids after this one, in their order; '' comes before all."""
        ...

    async def these(self, key: IndexKey, document_ids: Sequence[str]) -> Sequence[StockedDocument]:
        """Those of the documents that are there still, in the order of their ids."""
        ...

    async def chunk_ids(self, key: IndexKey, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """The ids of their chunks at just these generations, in the index's rendering."""
        ...
