"""What every answer carries: nothing of the API is a page, nothing of it is anybody's to keep.

No Strict-Transport-Security: the API speaks plain HTTP, where browsers must ignore it (RFC 6797, 8.1), and whether its
name is served over TLS alone is known to whatever speaks TLS in front of it.
"""

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
_CACHE = b"cache-control"
_NO_STORE = (_CACHE, b"no-store")


def complete_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers with those that every answer carries; what an answer says of caches itself stays."""
    given = list(headers)
    says_how_to_cache = any(name.lower() == _CACHE for name, _ in given)
    return [*given, *_ALWAYS, *([] if says_how_to_cache else [_NO_STORE])]
