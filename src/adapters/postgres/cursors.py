"""Cursors of keyset listings: which listing, and the key of the last item shown."""

import base64
import binascii

from domain.errors import InvalidRequestError
from domain.told import told

_LARGEST_KEY = 2**63 - 1


def cursor_after(listing: str, key: int) -> str:
    """An opaque cursor, safe in a URL."""
    return base64.urlsafe_b64encode(f"{listing}:{key}".encode()).decode().rstrip("=")


def key_of(cursor: str, *, listing: str) -> int:
    """The key in a cursor. Raises InvalidRequestError unless it was given out for this listing."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError) as error:
        raise InvalidRequestError("cursor", told("this cursor was not given out here")) from error
    name, _, key = text.rpartition(":")
    if name != listing or not key.isdecimal() or len(key) > len(str(_LARGEST_KEY)) or int(key) > _LARGEST_KEY:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    return int(key)
