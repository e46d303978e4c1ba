"""Texts of other people, so that a terminal shows them and obeys nothing in them."""

import re
import unicodedata

# Controls (C0, DEL, C1: an ESC or CSI is an order), what turns the direction of writing, and other line ends.
_HIDDEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ORDERS = re.compile(f"[{_HIDDEN}]")
_ORDERS_AND_LINES = re.compile(f"[\t\n{_HIDDEN}]")


def printable(text: str, *, lines: bool = False) -> str:
    """The text with each order in it spelled out, an ESC by its number; `lines` lets line breaks and tabs stand."""
    return (_ORDERS if lines else _ORDERS_AND_LINES).sub(_spelled, text)


def printable_json(document: str) -> str:
    """A JSON document that says the same: what a terminal would obey stands as its escape."""
    return _ORDERS.sub(lambda match: f"\\u{ord(match.group()):04x}", document)


def _spelled(match: re.Match[str]) -> str:
    character = match.group()
    if unicodedata.category(character) == "Cc":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(character, f"\\x{ord(character):02x}")
    return f"\\u{ord(character):04x}"
