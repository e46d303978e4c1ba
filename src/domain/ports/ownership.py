"""Whose something is that a store holds, and what nobody looks after any more."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from domain.document import DocumentRef


class Owner(StrEnum):
    """Who answers for chunks in the vector index.

    An event that is not done and names just this reference, or purges its program; the document itself, indexed
    at this generation or on its way; the document, which has nothing to be found at this generation; the
    document at another generation; nobody, because it is deleted or never was.
    """

    EVENT = "event"
    DOCUMENT = "document"
    FAILED_DOCUMENT = "failed document"
    OTHER_GENERATION = "other generation"
    NOBODY = "nobody"


class Ownership(Protocol):
    """Raises UnavailableError like every port."""

    async def of_vectors(self, documents: Sequence[DocumentRef]) -> Mapping[DocumentRef, Owner]:
        """Who answers for the chunks of each of these references."""
        ...

    async def owned_prefixes(self, prefixes: Sequence[str]) -> frozenset[str]:
        """Those of the revision prefixes that an upload under way or a program that is not yet purged owns."""
        ...

    async def has_programs(self) -> bool:
        """Whether there is a program that is not deleted: each owns files."""
        ...

    async def unpurged_programs(self, *, after: str, limit: int) -> Sequence[str]:
        """Deleted programs that no event which is not done will purge, by their ids; '' comes before all."""
        ...

    async def abandoned_uploads(self, *, older_than: timedelta, after: str, limit: int) -> Sequence[str]:
        """The prefixes of uploads begun longer ago than this, in their order; '' comes before all."""
        ...
