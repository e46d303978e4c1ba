"""Unicode's normal forms (UAX 15), in time that grows with the length of a text and no faster.

The interpreter sorts the combining characters of a letter by insertion: 64 KB of them take it two seconds. Whoever
sends a text chooses how many follow one letter, so they are put in order here first, which changes nothing in either
form.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

# Whatever combines is neither a letter nor a digit; much else that is in a long run of such does not combine.
_LONG_RUN = re.compile(r"[^\w\s\x00-\x7f]{32,}")
# Of class 0 as they stand, and yet combining characters alone once they are taken apart.
_SPELLED_OUT = str.maketrans({"\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"})


def composed(text: str) -> str:
    """NFC."""
    return unicodedata.normalize("NFC", _in_order(text))  # noqa: TID251 - this is the one place


def compatible(text: str) -> str:
    """NFKC."""
    # Letters to the interpreter, until this form makes combining characters of them.
    spelled_out = text.replace("\uff9e", "\u3099").replace("\uff9f", "\u309a")
    return unicodedata.normalize("NFKC", _in_order(spelled_out))  # noqa: TID251 - as above


def _in_order(text: str) -> str:
    return text if text.isascii() else _LONG_RUN.sub(lambda run: "".join(_sorted(run[0])), text)


def _sorted(run: str) -> Iterator[str]:
    for _, characters in groupby(run.translate(_SPELLED_OUT), key=_combines):
        yield from sorted(characters, key=unicodedata.combining)  # stable: those that do not combine stay as they are


def _combines(character: str) -> bool:
    return unicodedata.combining(character) > 0
