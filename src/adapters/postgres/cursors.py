"""Cursors of keyset listings: which listing, and the key of the last item shown."""

import base64
import binascii

from domain.errors import InvalidRequestError
from domain.told import told

_LARGEST_KEY = 2**63 - 1
_TEXT_FOLLOWS = "\n"


def cursor_after(listing: str, key: int, text: str = "") -> str:
    """An opaque cursor, safe in a URL; `text` where the listing is ordered by more than a number."""
    return base64.urlsafe_b64encode(f"{listing}:{key}{_TEXT_FOLLOWS}{text}".encode()).decode().rstrip("=")


def key_of(cursor: str, *, listing: str) -> int:
    """The key in a cursor. Raises InvalidRequestError unless it was given out for this listing."""
    return key_and_text_of(cursor, listing=listing)[0]


def key_and_text_of(cursor: str, *, listing: str) -> tuple[int, str]:
    """Both parts of the key in a cursor. Raises InvalidRequestError like key_of."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        plain = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidRequestError("cursor", told("this cursor was not given out here")) from error
    head, _, text = plain.partition(_TEXT_FOLLOWS)
    name, _, key = head.rpartition(":")
    if name != listing and name.partition(":")[0] == listing.partition(":")[0] == "programs":
        message = told("this cursor belongs to other filters or another order: begin without it")
        raise InvalidRequestError("cursor", message)
    if name != listing or not _is_key(key) or "\0" in text:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    return int(key), text


def _is_key(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) <= len(str(_LARGEST_KEY)) and int(key) <= _LARGEST_KEY
