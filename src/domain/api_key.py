"""API keys: what is issued once, and what is kept of it."""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from domain.caller import Caller, Scope, caller_name
from domain.errors import InvalidRequestError
from domain.told import told

MARK = "lb_"
LIVE_KEYS_OF_AN_OWNER = 2
LONGEST_LIFE = timedelta(days=3_650)
_PREFIX_BYTES = 6
_SECRET_BYTES = 32
RANDOM_BYTES = _PREFIX_BYTES + _SECRET_BYTES
_KEY = re.compile(rf"{MARK}([0-9a-f]{{{2 * _PREFIX_BYTES}}})_[0-9a-f]{{{2 * _SECRET_BYTES}}}")


class KeyStanding(StrEnum):
    """Whether a key opens anything."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to be kept: its public prefix, and the SHA-256 of its whole text. Raises InvalidRequestError."""

    prefix: str
    owner: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    lives_for: timedelta

    def __post_init__(self) -> None:
        if not self.scopes:
            raise InvalidRequestError("scopes", told("a key without a scope opens nothing"))
        if not timedelta(0) < self.lives_for <= LONGEST_LIFE:
            raise InvalidRequestError("lives_for", told("a key lives for 1 to {most:,} days", most=LONGEST_LIFE.days))


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A key at the one moment at which its text is known."""

    text: str = field(repr=False)
    key: NewKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept; all moments are the database's."""

    prefix: str
    owner: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def standing(self, now: datetime) -> KeyStanding:
        """Whether it is live at this moment."""
        if self.revoked_at is not None:
            return KeyStanding.REVOKED
        return KeyStanding.LIVE if now < self.expires_at else KeyStanding.EXPIRED

    def is_of(self, text: str) -> bool:
        """Whether this is the key's text; how long the answer takes tells nothing about it."""
        return hmac.compare_digest(_digest(text), self.digest)

    @property
    def caller(self) -> Caller:
        """Whoever holds it: the owner, by whichever of their keys."""
        return Caller(identity=f"key:{self.owner}", name=self.owner, scopes=self.scopes, credential=self.prefix)


def issue(owner: str, scopes: frozenset[Scope], lives_for: timedelta, *, randomness: bytes) -> IssuedKey:
    """Make a key of RANDOM_BYTES unpredictable bytes, 32 of which are its secret. Raises InvalidRequestError."""
    prefix, secret = randomness[:_PREFIX_BYTES].hex(), randomness[_PREFIX_BYTES:RANDOM_BYTES].hex()
    text = f"{MARK}{prefix}_{secret}"
    if not _KEY.fullmatch(text):
        raise ValueError(f"a key takes {RANDOM_BYTES} random bytes")
    key = NewKey(prefix=prefix, owner=caller_name(owner), digest=_digest(text), scopes=scopes, lives_for=lives_for)
    return IssuedKey(text=text, key=key)


def prefix_of(text: str) -> str | None:
    """The public prefix of a key's text; None where it is none."""
    found = _KEY.fullmatch(text)
    return found.group(1) if found else None


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
