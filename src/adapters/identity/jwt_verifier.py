"""TokenVerifier for the JWTs of one OpenID Connect issuer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jwt

from adapters.identity.signing_keys import ALGORITHMS, SigningKeys
from domain.caller import Caller, Scope, caller_name
from domain.errors import InvalidRequestError, UnauthenticatedError
from domain.ports.token_verifier import TokenVerifier

LEEWAY_S = 60
_KINDS = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# Where to fetch a key from, or the key itself: the sender's word, which must not matter. And what must be understood.
_REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
_REQUIRED = ("exp", "iss", "aud", "sub")
_CREDENTIAL = "token"
_MAX_SUBJECT_CHARACTERS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """Which tokens are meant for us, and which of their claims tells what.

    A claim is named as it stands, or by a path with dots. `scope_names` is what the issuer calls our scopes.
    """

    issuer: str
    audience: str
    scope_claim: str
    scope_names: Mapping[str, Scope]
    name_claim: str


class JwtTokenVerifier(TokenVerifier):
    """RS256, ES256 and EdDSA, by the issuer's keys alone."""

    def __init__(self, keys: SigningKeys, rules: TokenRules) -> None:
        self._keys = keys
        self._rules = rules

    async def verify(self, token: str) -> Caller:
        """See the port."""
        key_id, algorithm = _header_of(token)
        key = await self._keys.named(key_id)
        if key is None:
            raise _refused("the issuer has no key of this id")
        if key.algorithm_name != algorithm:
            raise _refused("its algorithm is not that of the key")
        with _refusals():
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._rules.audience,
                issuer=self._rules.issuer,
                leeway=LEEWAY_S,
                options={"require": list(_REQUIRED)},
            )
        return self._caller(claims)

    def _caller(self, claims: dict[str, Any]) -> Caller:
        subject, name = claims["sub"], _claim(claims, self._rules.name_claim)
        if not subject or len(subject) > _MAX_SUBJECT_CHARACTERS or not subject.isprintable():
            raise _refused("its subject is none")
        if not isinstance(name, str):
            raise _refused(f"it has no claim {self._rules.name_claim}")
        try:
            name = caller_name(name)
        except InvalidRequestError as error:
            raise _refused(f"its claim {self._rules.name_claim} is no name") from error
        return Caller(identity=f"token:{subject}", name=name, scopes=self._scopes(claims), credential=_CREDENTIAL)

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        claimed = _claim(claims, self._rules.scope_claim)
        names = claimed.split() if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
        known = self._rules.scope_names
        return frozenset(known[name] for name in names if isinstance(name, str) and name in known)


def _header_of(token: str) -> tuple[str, str]:
    """The id of the key and the algorithm: the sender's word, which says no more than where to begin."""
    with _refusals():
        header = jwt.get_unverified_header(token)
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS.values():
        raise _refused("its algorithm is not taken")
    if _REFUSED_HEADERS & header.keys():
        raise _refused("its header names a key of its own, or what must be understood")
    if not isinstance(kind, str) or kind.lower() not in _KINDS:
        raise _refused("its type is another")
    if not isinstance(key_id, str):
        raise _refused("it names no key")
    return key_id, algorithm


def _claim(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:
        return claims[path]
    first, _, rest = path.partition(".")
    inner = claims.get(first)
    return _claim(inner, rest) if rest and isinstance(inner, dict) else None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except jwt.PyJWTError as error:  # its message may quote the token
        raise _refused(type(error).__name__) from error


def _refused(reason: str) -> UnauthenticatedError:
    return UnauthenticatedError(reason, credential=_CREDENTIAL)
