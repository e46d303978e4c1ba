"""Revoke an API key, for good."""

from dataclasses import dataclass

from domain.api_key import MARK, ApiKey
from domain.ports.key_repo import KeyRepo


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """Every process refuses the key as soon as it has forgotten what it knew of it."""

    keys: KeyRepo

    async def __call__(self, text: str) -> ApiKey:
        """By its prefix, or by the whole text of a key that got about. Raises NotFoundError, which shows no secret."""
        return await self.keys.revoke(text.removeprefix(MARK).partition("_")[0])
