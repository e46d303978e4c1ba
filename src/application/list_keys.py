"""List API keys: whose they are and how they stand, never what they open things with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.api_key import ApiKey
from domain.caller import caller_name
from domain.ports.key_repo import KeyRepo


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """Page by page: those that are revoked or expired stay in the record."""

    keys: KeyRepo
    page_size: int = 200

    async def __call__(self, owner: str | None = None) -> AsyncIterator[ApiKey]:
        """All keys, or those of one owner, by owner. Raises InvalidRequestError for what cannot be one."""
        owner = caller_name(owner) if owner is not None else None  # as it was kept, however a terminal spells it
        after: ApiKey | None = None
        while page := await self.keys.page(limit=self.page_size, after=after, owner=owner):
            for key in page:
                yield key
            after = page[-1]
