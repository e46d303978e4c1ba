"""Find out who is asking, by an API key or by a token of the issuer that is trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from application.known_keys import KnownKeys
from application.rate_limiter import RateLimiter
from domain.api_key import MARK, KeyStanding, prefix_of
from domain.caller import Caller
from domain.errors import UnauthenticatedError
from domain.ports.token_verifier import TokenVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Keys have a mark of their own; whatever else is sent is a token or nothing.

    A key that this process has not met is a question to the database: `strangers` bounds those from one origin, so that
    whoever makes keys up keeps neither the database busy nor those out whose keys are known.
    """

    keys: KnownKeys
    strangers: RateLimiter
    tokens: TokenVerifier
    clock: Callable[[], datetime]

    async def __call__(self, credential: str, *, origin: str) -> Caller:
        """Raises UnauthenticatedError, RateLimitedError, and UnavailableError where nobody can tell."""
        if credential.startswith(MARK):
            return await self._by_key(credential, origin)
        return await self.tokens.verify(credential)

    async def _by_key(self, text: str, origin: str) -> Caller:
        prefix = prefix_of(text)
        if prefix is None:
            raise UnauthenticatedError("it is cut off or misspelled")
        if not self.keys.has_met(prefix):
            self.strangers.take(origin)
        key = await self.keys.find(prefix)
        if key is None:
            raise UnauthenticatedError("there is no such key", credential=prefix)
        if not key.is_of(text):
            raise UnauthenticatedError("its secret is another", credential=prefix)
        standing = key.standing(self.clock())
        if standing is not KeyStanding.LIVE:
            raise UnauthenticatedError(f"the key is {standing}", credential=prefix)
        self.keys.note_use(prefix)
        return key.caller
