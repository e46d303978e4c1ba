"""TokenVerifier in memory: a token is a number that nobody else was given."""

from domain.caller import Caller
from domain.errors import UnauthenticatedError, UnavailableError
from domain.ports.token_verifier import TokenVerifier


class InMemoryTokenVerifier(TokenVerifier):
    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}
        self.is_away = False

    def token_of(self, caller: Caller) -> str:
        token = f"token.number.{len(self.callers)}x9"
        self.callers[token] = caller
        return token

    async def verify(self, token: str) -> Caller:
        if self.is_away:
            raise UnavailableError("identity provider", "no answer")
        if token not in self.callers:
            raise UnauthenticatedError("it is no token", credential="token")
        return self.callers[token]
