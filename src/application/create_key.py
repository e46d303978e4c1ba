"""Create an API key, whose text is known to whoever is given it and to nobody else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from domain.api_key import LIVE_KEYS_OF_AN_OWNER, RANDOM_BYTES, ApiKey, issue
from domain.caller import Scope
from domain.ports.key_repo import KeyRepo


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedKey:
    """What is kept, and the text that is shown once."""

    key: ApiKey
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """`randomness` gives so many bytes that nobody can guess."""

    keys: KeyRepo
    randomness: Callable[[int], bytes]

    async def __call__(self, owner: str, scopes: frozenset[Scope], lives_for: timedelta) -> CreatedKey:
        """Raises InvalidRequestError, and ConflictError for a third live key: two let one follow the other."""
        issued = issue(owner, scopes, lives_for, randomness=self.randomness(RANDOM_BYTES))
        kept = await self.keys.add(issued.key, live_at_most=LIVE_KEYS_OF_AN_OWNER)
        return CreatedKey(key=kept, text=issued.text)
