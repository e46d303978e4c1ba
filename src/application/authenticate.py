"""Find out who is asking, by an API key or by a token of the issuer that is trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from application.known_keys import KnownKeys
from domain.api_key import MARK, KeyStanding, prefix_of
from domain.caller import Caller
from domain.errors import UnauthenticatedError
from domain.ports.token_verifier import TokenVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Keys have a mark of their own; whatever else is sent is a token or nothing."""

    keys: KnownKeys
    tokens: TokenVerifier
    clock: Callable[[], datetime]

    async def __call__(self, credential: str) -> Caller:
        """Raises UnauthenticatedError, and UnavailableError where nobody can tell."""
        if credential.startswith(MARK):
            return await self._by_key(credential)
        return await self.tokens.verify(credential)

    async def _by_key(self, text: str) -> Caller:
        prefix = prefix_of(text)
        if prefix is None:
            raise UnauthenticatedError("it is cut off or misspelled")
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
