"""The record of API keys."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from domain.api_key import ApiKey, NewKey


class KeyRepo(Protocol):
    """Keys by their prefix, of which none is ever forgotten. All moments are the database's.

    Every method raises UnavailableError when the database cannot answer.
    """

    async def add(self, key: NewKey, *, live_at_most: int) -> ApiKey:
        """Keep a key. Raises ConflictError when its owner has so many live ones already, however many ask at once."""
        ...

    async def find(self, prefix: str) -> ApiKey | None:
        """The key of this prefix, live or not."""
        ...

    async def page(self, *, limit: int, after: ApiKey | None = None, owner: str | None = None) -> list[ApiKey]:
        """Keys by owner and prefix, those after the one that is named; of one owner or of all."""
        ...

    async def revoke(self, prefix: str) -> ApiKey:
        """End a key; one that is revoked stays so since then. Raises NotFoundError."""
        ...

    async def note_uses(self, prefixes: Collection[str], *, every: timedelta) -> None:
        """Record that keys were used now, where that was recorded longer ago than `every`."""
        ...
