"""The public keys of an issuer by their id, as few requests as that takes."""

import asyncio
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from adapters.identity.key_sources import ISSUER, KeySource
from domain.errors import UnavailableError

ALGORITHMS: Mapping[tuple[str, str | None], str] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}
FRESH_S = 300.0
"""After so long the keys are fetched anew."""
KEPT_S = 3_600.0
"""So old they may become while the issuer gives no answer."""
ASKED_AGAIN_S = 30.0
"""An id that is not there makes us ask again, no more often than this, whatever tokens are sent."""
FAILED_AGAIN_S = 5.0
_MOST_KEYS = 64
_SMALLEST_RSA_BITS = 2_048
_log = logging.getLogger(__name__)


class SigningKeys:
    """Of many requests at once one fetches the keys. The others wait for it where they know no key for their token."""

    def __init__(self, source: KeySource, *, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._monotonic = monotonic
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = self._tried_at = -math.inf
        self._failure: UnavailableError | None = None
        self._fetching = asyncio.Lock()

    async def named(self, key_id: str) -> PyJWK | None:
        """The key of this id; None where the issuer has no such key. Raises UnavailableError where nobody can tell."""
        if self._is_due(key_id) and not (self._fetching.locked() and self._known(key_id)):
            async with self._fetching:
                if self._is_due(key_id):  # else somebody fetched them while we waited
                    await self._fetch()
        key = self._known(key_id)
        if key is None and self._failure is not None:
            raise UnavailableError(ISSUER, self._failure.reason)
        return key

    def _known(self, key_id: str) -> PyJWK | None:
        return self._keys.get(key_id) if self._age_s() < KEPT_S else None

    def _is_due(self, key_id: str) -> bool:
        since_tried_s = self._monotonic() - self._tried_at
        if self._failure is not None:
            return since_tried_s >= FAILED_AGAIN_S
        return self._age_s() >= FRESH_S or (key_id not in self._keys and since_tried_s >= ASKED_AGAIN_S)

    def _age_s(self) -> float:
        return self._monotonic() - self._fetched_at

    async def _fetch(self) -> None:
        try:
            keys = _parsed(await self._source())
        except UnavailableError as error:
            self._failure = error
            _log.warning("the issuer's keys stay as they are: %s", error)
        else:
            self._keys, self._failure, self._fetched_at = keys, None, self._monotonic()
        self._tried_at = self._monotonic()


def _parsed(jwks: bytes) -> Mapping[str, PyJWK]:
    try:
        listed = json.loads(jwks)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnavailableError(ISSUER, "what it answers is no JWKS") from error
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise UnavailableError(ISSUER, f"what it answers is no JWKS of at most {_MOST_KEYS} keys")
    return dict(_usable(listed))


def _usable(listed: list[Any]) -> Iterator[tuple[str, PyJWK]]:
    """Those that can have signed a token that we take; of the others an issuer may have as many as it likes."""
    for described in listed:
        if not isinstance(described, dict) or not _is_for_us(described):
            continue
        algorithm = ALGORITHMS[described["kty"], described.get("crv")]
        try:
            key = PyJWK(described, algorithm)
        except PyJWTError as error:
            _log.warning("a key of the issuer is left out: %s", type(error).__name__)
            continue
        if not isinstance(key.key, RSAPublicKey) or key.key.key_size >= _SMALLEST_RSA_BITS:
            yield described["kid"], key


def _is_for_us(described: dict[str, Any]) -> bool:
    kind, curve = described.get("kty"), described.get("crv")
    algorithm = ALGORITHMS.get((kind, curve)) if isinstance(kind, str) and isinstance(curve, str | None) else None
    return (
        algorithm is not None
        and isinstance(described.get("kid"), str)
        and described.get("alg", algorithm) == algorithm
        and described.get("use", "sig") == "sig"
        and "d" not in described  # a private key: whoever publishes one has none
    )
