"""The record of the vector indexes: which there are, which one is current, and what each of them holds."""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from domain.chunk import chunk_id
from domain.document import Document, DocumentRef
from domain.index_key import IndexKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredIndex:
    """An index as the record knows it.

    Documents are indexed into the current one. A complete one held every indexed document when it became
    current, so that it may be searched, even after another has taken its place. `holds_chunks` tells what an
    empty index has lost.
    """

    key: IndexKey
    is_current: bool
    is_complete: bool
    holds_chunks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDocument:
    """A document that an index is recorded to hold, and how many chunks of its rendering there are."""

    ref: DocumentRef
    chunk_count: int

    def is_whole_among(self, chunk_ids: AbstractSet[str]) -> bool:
        """Whether these ids have all of its chunks, and no other of its own."""
        expected = {chunk_id(self.ref, ordinal) for ordinal in range(self.chunk_count)}
        prefix = chunk_id(self.ref, 0).removesuffix("0")
        return expected == {each for each in chunk_ids if each.startswith(prefix)}


class IndexRegistry(Protocol):
    """The vector index itself is derived and may be lost; this is what is known of it in the system of record."""

    async def current(self) -> RegisteredIndex | None:
        """The current index; None before the first one."""
        ...

    async def adopt(self, key: IndexKey) -> RegisteredIndex:
        """The current index. Where there is none yet this one becomes it, complete if no document is indexed yet."""
        ...

    async def begin(self, key: IndexKey) -> RegisteredIndex:
        """Register an index that is to be built; one that is known already is answered as it stands."""
        ...

    async def hold_current(self, key: IndexKey) -> None:
        """Keep this index current until the transaction ends. Raises UnavailableError when another one is."""
        ...

    async def record(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        """Record that the index holds these documents at these generations. Repeatable."""
        ...

    async def lacking(self, key: IndexKey, *, limit: int) -> Sequence[Document]:
        """Indexed documents that the index does not hold, those of the newest program first, in ordinal order."""
        ...

    async def held(self, key: IndexKey, *, after: str, limit: int) -> Sequence[RecordedDocument]:
        """The indexed documents that the index is recorded to hold, by document id, from the one after `after` on."""
        ...

    async def forget(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        """Record that the index does not hold these documents, whatever was recorded of just them before."""
        ...

    async def lost(self, key: IndexKey) -> None:
        """Record that the index holds nothing any more: it is not complete until it was built again."""
        ...

    async def complete(self, key: IndexKey) -> bool:
        """Make the index the current and complete one if it lacks nothing; False where it does.

        Waits for every transaction that holds another index current, so that nothing slips between.
        """
        ...

    async def take_building(self, key: IndexKey, *, builder: str, lease: timedelta) -> bool:
        """Take or renew the right to build the index; False while another builder holds it."""
        ...

    async def forget_others(self, key: IndexKey) -> None:
        """Forget every other index, and the chunks that no index but theirs was made of."""
        ...
