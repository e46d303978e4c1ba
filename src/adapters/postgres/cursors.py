"""Cursors of keyset listings: which listing, and the key of the last item shown."""

import base64
import binascii

from domain.errors import InvalidRequestError
from domain.told import told

_LARGEST_KEY = 2**63 - 1


def cursor_after(listing: str, key: int | str) -> str:
    """An opaque cursor, safe in a URL; the key holds no colon."""
    return base64.urlsafe_b64encode(f"{listing}:{key}".encode()).decode().rstrip("=")


def key_of(cursor: str, *, listing: str) -> int:
    """The key in a cursor. Raises InvalidRequestError unless it was given out for this listing."""
    return number_of(text_key_of(cursor, listing=listing))


def number_of(key: str) -> int:
    """A number in a key. Raises InvalidRequestError unless it is one that Postgres can hold."""
    if not key.isdecimal() or len(key) > len(str(_LARGEST_KEY)) or int(key) > _LARGEST_KEY:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    return int(key)


def text_key_of(cursor: str, *, listing: str) -> str:
    """The key of a listing whose keys are no numbers. Raises InvalidRequestError as above; the caller reads the key."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError) as error:
        raise InvalidRequestError("cursor", told("this cursor was not given out here")) from error
    name, _, key = text.rpartition(":")
    if name != listing and name.partition(":")[0] == listing.partition(":")[0] == "programs":
        message = told("this cursor belongs to other filters or another order: begin without it")
        raise InvalidRequestError("cursor", message)
    if name != listing:
        raise InvalidRequestError("cursor", told("this cursor was not given out for this listing"))
    return key
