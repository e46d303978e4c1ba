"""Tokens that somebody else issues."""

from typing import Protocol

from domain.caller import Caller


class TokenVerifier(Protocol):
    """Knows an issuer, and what of its tokens is to be believed."""

    async def verify(self, token: str) -> Caller:
        """Whose token it is, and what they may do here.

        Raises UnauthenticatedError for one that does not hold, whatever it is made of; UnavailableError when the
        issuer's keys cannot be had.
        """
        ...
