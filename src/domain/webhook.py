"""Webhooks: who wants to be told of what, and how what they are told is signed (Standard Webhooks 1.0)."""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from domain.errors import InvalidRequestError
from domain.events import RetryPolicy
from domain.told import told

MAX_WEBHOOKS = 100
LONGEST_URL = 2_000
SECRET_MARK = "whsec_"  # noqa: S105 - what a secret begins with
ID_BYTES = 6
SECRET_BYTES = 32
FORMER_SECRET_SIGNS_FOR = timedelta(days=1)
DELIVERY_RETRIES = RetryPolicy(max_attempts=33, first_delay=timedelta(seconds=5), longest_delay=timedelta(hours=1))
"""A day, nearly all of it by the hour."""

_TRANSLATED = ip_network("64:ff9b::/96")
# Python before 3.12.4 takes them for global: a site's own translation to IPv4, what once meant an IPv4 address, and
# what once was a site's own.
_LOCAL = (ip_network("64:ff9b:1::/48"), ip_network("::/96"), ip_network("fec0::/10"))

_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)

Address = IPv4Address | IPv6Address


class EventKind(StrEnum):
    """What a webhook may be told of. A program's files that are replaced are registered too, as a revision."""

    REGISTERED = "registered"
    INDEXED = "indexed"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A subscription to be kept."""

    webhook_id: str
    url: str
    kinds: frozenset[EventKind]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription as it is kept. `secrets` all sign, the present one first; switched off, it is told nothing.

    `reason` says why it is switched off.
    """

    webhook_id: str
    url: str
    kinds: frozenset[EventKind]
    secrets: tuple[str, ...] = field(repr=False)
    created_at: datetime
    is_enabled: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """What happened to a program; `status` is how its indexing is, or `deleted`."""

    kind: EventKind
    pgm_id: str
    pgm_name: str
    revision: int
    status: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An occurrence on its way to a webhook, under a lease. `delivery_id` stays, whichever of the `attempts` it is."""

    delivery_id: str
    lease_token: str
    attempts: int
    webhook: Webhook
    occurrence: Occurrence


def new_webhook(url: str, kinds: frozenset[EventKind], *, allow_private: bool, randomness: bytes) -> NewWebhook:
    """Make a subscription of ID_BYTES + SECRET_BYTES unpredictable bytes. Raises InvalidRequestError."""
    return NewWebhook(
        webhook_id=f"wh_{randomness[:ID_BYTES].hex()}",
        url=checked_url(url, allow_private=allow_private),
        kinds=checked_kinds(kinds),
        secret=secret_of(randomness[ID_BYTES:]),
    )


def secret_of(randomness: bytes) -> str:
    """A secret of SECRET_BYTES unpredictable bytes, as it is shown and kept."""
    if len(randomness) != SECRET_BYTES:
        raise ValueError(f"a secret takes {SECRET_BYTES} random bytes")
    return SECRET_MARK + base64.b64encode(randomness).decode()


def signatures(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one for each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{base64.b64encode(_hmac(secret, signed)).decode()}" for secret in secrets)


def checked_kinds(kinds: frozenset[EventKind]) -> frozenset[EventKind]:
    """Some. Raises InvalidRequestError."""
    if not kinds:
        raise InvalidRequestError("kinds", told("a webhook is told of something: name at least one kind"))
    return kinds


def checked_url(url: str, *, allow_private: bool) -> str:
    """An address that may be told. Raises InvalidRequestError.

    A name is looked up when it is connected to, each time: what it means today says nothing of tomorrow.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequestError("url", told("it is no address: write https://host/path")) from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        message = told("it is not 1 to {most} printable ASCII characters", most=LONGEST_URL)
        raise InvalidRequestError("url", message)
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidRequestError("url", told("it is no address: write https://host/path"))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidRequestError("url", told("leave names, passwords and fragments out of the address"))
    try:
        address = ip_address(host)
    except ValueError:
        _refuse_no_name(host)
        return url
    if not may_be_told(address, allow_private=allow_private):
        raise InvalidRequestError("url", told("this service sends nothing to {host}", host=host))
    return url


def _refuse_no_name(host: str) -> None:
    """What no name server can be asked for: a label that is blank or longer than 63 characters.

    Nor what ends in a number: that is an IPv4 address in a spelling of old (127.1, 0x7f000001).
    """
    if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        raise InvalidRequestError("url", told("this service sends nothing to {host}", host=host))
    try:
        host.encode("idna")
    except UnicodeError:
        raise InvalidRequestError("url", told("it is no address: write https://host/path")) from None


def may_be_told(address: Address, *, allow_private: bool) -> bool:
    """Whether anything is sent to an address: to public ones, to the others where the operator allows it."""
    meant = _meant(address)
    if meant.is_unspecified or meant.is_multicast:
        return False
    is_public = meant.is_global and address.is_global and not any(address in network for network in _LOCAL)
    return allow_private or is_public


def _meant(address: Address) -> Address:
    """The address that an IPv6 one stands for, where it is an IPv4 one in disguise."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _hmac(secret: str, signed: bytes) -> bytes:
    return hmac.digest(base64.b64decode(secret.removeprefix(SECRET_MARK)), signed, sha256)
