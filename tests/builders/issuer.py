"""An issuer of tokens: keys of every kind, the JWKS that names them, and tokens right and wrong."""

import base64
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from adapters.identity.jwt_verifier import TokenRules
from domain.caller import Caller, Scope
from domain.errors import UnavailableError

RULES = TokenRules(
    issuer="https://login.example.com/realms/plant",
    audience="ladderbase",
    scope_claim="scope",
    scope_names={f"ladderbase:{scope}": scope for scope in Scope},
    name_claim="preferred_username",
)
ALGORITHM_OF = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}
# Making an RSA key takes a tenth of a second: once is enough.
KEYS: dict[str, Any] = {
    "rsa": rsa.generate_private_key(65_537, 2_048),
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
}


def published(kind: str, **changes: Any) -> dict[str, Any]:
    """The public part of a key as a JWKS names it."""
    key = KEYS[kind].public_key()
    algorithm: Any = {"rsa": RSAAlgorithm, "ec": ECAlgorithm, "ed": OKPAlgorithm}[kind]
    return {**json.loads(algorithm.to_jwk(key)), "kid": kind, "use": "sig", **changes}


def claims(**changes: Any) -> dict[str, Any]:
    """Of a token that holds; None leaves a claim out, `exp_in` is a claim so many seconds from now."""
    now = int(time.time())
    changes = {
        name.removesuffix("_in"): value + now if name.endswith("_in") else value for name, value in changes.items()
    }
    usual = {
        "iss": RULES.issuer,
        "aud": RULES.audience,
        "sub": "7f3c",
        "preferred_username": "김 대리",
        "scope": "openid ladderbase:write",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(said: dict[str, Any], kind: str = "rsa", *, headers: dict[str, Any] | None = None) -> str:
    """A token, signed by one of the keys."""
    named = {"kid": kind, **(headers or {})}
    return jwt.encode(said, KEYS[kind], algorithm=ALGORITHM_OF[kind], headers=named)


def spelled(header: dict[str, Any], said: dict[str, Any], signature: bytes = b"") -> str:
    """A token of any header, which no library would make."""
    parts = (json.dumps(header).encode(), json.dumps(said).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def token_of(caller: Caller, **changes: Any) -> str:
    """A token that tells of this caller."""
    scopes = " ".join(f"ladderbase:{scope}" for scope in caller.scopes)
    subject = caller.identity.removeprefix("token:")
    return signed(claims(sub=subject, preferred_username=caller.name, scope=scopes, **changes))


class Issuer:
    """What its address answers, how often it was asked, and whether it answers at all."""

    def __init__(self) -> None:
        self.keys: list[Any] = [published(kind) for kind in KEYS]
        self.asked = 0
        self.is_away = False

    async def jwks(self) -> bytes:
        self.asked += 1
        if self.is_away:
            raise UnavailableError("identity provider", "no connection")
        return json.dumps({"keys": self.keys}).encode()
