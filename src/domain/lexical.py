"""Tokens for the lexical lane, made the same way for documents and queries.

The index's own analyzer would keep a spaced Korean word whole and split `D500.F`; tokens that hold nothing
but lower-case letters, digits, Hangul, Kana and Kanji come through every analyzer unharmed.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from domain.devices import Operand, canonical, parse_operand
from domain.normal_forms import compatible

# Latin with its accents, Vietnamese among them, Greek and Cyrillic.
_LETTERS = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
    "\u0370-\u0373\u0376-\u0377\u037b-\u037d\u0386\u0388-\u0481\u048a-\u052f"
)
_HANGUL = "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_KANA_AND_KANJI = _KANA + "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufa6d\ufa70-\ufad9"  # but for the unassigned
_WORD = re.compile(
    r"(?P<device>@?(?:U[0-9A-F]+\\H?G\d+|J\d+\\[A-Z]+[0-9A-F]+|[A-Z]+[0-9A-F]+(?:(?:L?Z+|V)\d+)?)[0-9A-Z]*"
    rf"(?:\.[0-9A-F])?(?![0-9A-Z{_LETTERS}]))"
    rf"|(?P<latin>[0-9A-Z{_LETTERS}]+)|(?P<hangul>[{_HANGUL}]+)|(?P<han>[{_KANA_AND_KANJI}]+)",
    re.IGNORECASE,
)
# Words made of hexadecimal digits behind B, W or S... are words first: BAD, BEE, WADE.
_ALWAYS_A_DEVICE = re.compile(r"[XY][0-9A-F]+")
_STOP_WORDS = frozenset(
    "a an and any are as at be by can do does find for from get give has have how i in into is it its list me of on or "
    "rung rungs show that the there this to use used uses using was what when where which who why will with written "
    "read reads writes write".split()
)
_LONGEST_KEPT = 200


def tokens(text: str) -> list[str]:
    """Tokenise text, in order, repetitions kept: whole devices, Latin words, bigrams of Hangul, Kana and Kanji."""
    return [token for word in _words(text) for token in word]


def lexical_text(parts: Iterator[str] | list[str]) -> str:
    """The indexed form of a chunk's parts: their tokens, separated by blanks."""
    return " ".join(token for part in parts for token in (_kept(part) if len(part) <= _LONGEST_KEPT else tokens(part)))


@lru_cache(maxsize=4_096)  # a program's names, comments and instructions are few and come often
def _kept(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def query_tokens(text: str) -> list[str]:
    """The distinct tokens of a query without stop words; all of them where nothing else is left."""
    distinct = list(dict.fromkeys(tokens(text)))
    return [token for token in distinct if token not in _STOP_WORDS] or distinct


def query_devices(text: str) -> tuple[str, ...]:
    """The tokens of the devices that a query names, each once, as written (`D500.F` asks for the bit alone)."""
    found = (_device(match) for match in _WORD.finditer(compatible(text)))
    return tuple(dict.fromkeys(device_token(operand.devices[0]) for operand in found if operand))


def device_token(device: str) -> str:
    r"""The token of one canonical device: `D500.F` -> `d500bitf`, `U2A\G31` -> `u2ag31`."""
    return device.lower().replace(".", "bit").replace("\\", "")


def _words(text: str) -> Iterator[list[str]]:
    for match in _WORD.finditer(compatible(text)):
        if operand := _device(match):
            yield _device_tokens(operand)
        elif match["hangul"] or match["han"]:
            yield _bigrams(match.group())
        else:
            yield [part for part in re.split(rf"[^0-9a-z{_LETTERS}]+", match.group().lower()) if part]


def _device(match: re.Match[str]) -> Operand | None:
    written = match["device"]
    operand = parse_operand(written) if written else None
    if operand is None or not written:
        return None
    has_digit = any(map(str.isdigit, written))
    return operand if has_digit or _ALWAYS_A_DEVICE.fullmatch(written.upper()) else None


def _device_tokens(operand: Operand) -> list[str]:
    """`K4M0` -> `k4m0 m0`; `D100Z0` -> `d100z0 d100 z0`; `D500.F` -> `d500bitf d500`."""
    whole = device_token(canonical(operand.written.lstrip("@")))
    return list(dict.fromkeys((whole, *map(device_token, operand.devices))))


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]
