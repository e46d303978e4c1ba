"""TokenVerifier where no issuer is trusted."""

from domain.caller import Caller
from domain.errors import UnauthenticatedError
from domain.ports.token_verifier import TokenVerifier


class NoIssuer(TokenVerifier):
    """Believes no token."""

    async def verify(self, token: str) -> Caller:  # noqa: ARG002 - the port's signature
        """See the port."""
        raise UnauthenticatedError("it is no key, and no issuer of tokens is trusted")
