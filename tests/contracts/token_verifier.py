"""What every TokenVerifier promises."""

from collections.abc import Awaitable, Callable

import pytest

from domain.caller import Caller, Scope
from domain.errors import UnauthenticatedError, UnavailableError
from domain.ports.token_verifier import TokenVerifier

TokenOf = Callable[[Caller], str]
GoAway = Callable[[], Awaitable[None]]
KIM = Caller(identity="token:7f3c", name="김 대리", scopes=frozenset({Scope.READ, Scope.WRITE}), credential="token")


class TokenVerifierContract:
    """Needs the fixtures `verifier`, `token_of` and `issuer_goes_away`."""

    async def test_a_token_tells_whose_it_is(self, verifier: TokenVerifier, token_of: TokenOf) -> None:
        assert await verifier.verify(token_of(KIM)) == KIM

    async def test_a_token_without_scopes_tells_whose_it_is_all_the_same(
        self, verifier: TokenVerifier, token_of: TokenOf
    ) -> None:
        nothing = Caller(identity="token:7f3c", name="kim", scopes=frozenset(), credential="token")
        assert await verifier.verify(token_of(nothing)) == nothing

    @pytest.mark.parametrize("text", ["", "x", "..", "e30.e30.e30", "키.키.키", "lb_000000000000_" + "0" * 64])
    async def test_what_is_no_token_is_refused(self, verifier: TokenVerifier, text: str) -> None:
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(text)

    async def test_a_changed_token_is_refused(self, verifier: TokenVerifier, token_of: TokenOf) -> None:
        token = token_of(KIM)
        for changed in (token[1:], token[:-2], token.swapcase()):
            with pytest.raises(UnauthenticatedError):
                await verifier.verify(changed)

    async def test_an_issuer_that_is_away_is_no_reason_to_refuse(
        self, verifier: TokenVerifier, token_of: TokenOf, issuer_goes_away: GoAway
    ) -> None:
        token = token_of(KIM)
        await issuer_goes_away()
        with pytest.raises(UnavailableError):
            await verifier.verify(token)
