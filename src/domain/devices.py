"""Device addresses of MELSEC controllers: how they are written, and which devices an operand touches."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_HEX_NAMES = "DX|DY|SB|SW|X|Y|B|W"
_DECIMAL_NAMES = "LST|LT|LC|LZ|ST|SM|SD|ZR|FX|FY|FD|RD|BL|TR|TS|TC|TN|CS|CC|CN|M|L|S|F|V|T|C|D|R|Z|P|I|N|J"
_HEXADECIMAL = rf"(?:{_HEX_NAMES})[0-9A-F]+"
_DECIMAL = rf"(?:{_DECIMAL_NAMES})\d+"
_MODULE = r"U[0-9A-F]+\\H?G\d+"
_LINK = rf"J\d+\\(?:{_HEX_NAMES})[0-9A-F]+"
_SFC = r"BL\d+\\(?:S|TR)\d+"
_INDEX = r"(?:L?Z+|V)\d+"
_OPERAND = re.compile(
    rf"@?(?:K[1-8](?=[A-Z]))?(?P<base>{_MODULE}|{_LINK}|{_SFC}|{_DECIMAL}|{_HEXADECIMAL})"
    rf"(?P<index>{_INDEX})?(?P<bit>\.[0-9A-F])?",
    re.IGNORECASE,
)
# Only behind a device's name: the digits of WA00 begin with A, and its zeros count.
_LEADING_ZEROS = re.compile(rf"(?<![0-9A-Z])({_HEX_NAMES}|{_DECIMAL_NAMES}|H?G|U)0+(?=[0-9A-F])", re.IGNORECASE)
_CONSTANT = re.compile(
    rf"(?:K[-+]?\d+|H[0-9A-F]+)(?P<index>{_INDEX})?|E[-+]?\d+(?:\.\d+)?(?:E?[-+]\d+)?|\".*\"?|[-+]?\d+(?:\.\d+)?",
    re.IGNORECASE,
)
_LONGEST_KEPT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A device operand: `K4M0Z1` is four digits (16 bits) from M0 on, shifted by Z1; `D100.F` is bit 15 of D100.

    The base of a constant that an index register is added to, `K100Z0`, is empty.
    """

    written: str
    base: str
    index: str = ""
    bit: str = ""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that it names, in canonical spelling, the most precise first."""
        precise = f"{self.base}.{self.bit}" if self.bit else self.base
        return tuple(dict.fromkeys(name for name in (precise, self.base, self.index) if name))


def parse_operand(text: str) -> Operand | None:
    """Read an operand as a device; None for constants, labels and strings (`H10D1` is a constant)."""
    return _kept(text) if len(text) <= _LONGEST_KEPT else _parsed(text)


def _parsed(text: str) -> Operand | None:
    text = text.strip()
    found = _OPERAND.fullmatch(text)
    if not found or _CONSTANT.fullmatch(text):
        return None
    return Operand(
        written=text,
        base=canonical(found["base"]),
        index=(found["index"] or "").upper(),
        bit=(found["bit"] or "").removeprefix(".").upper(),
    )


_kept = lru_cache(maxsize=4_096)(_parsed)  # a program names few devices often


def parse_indexed_constant(text: str) -> Operand | None:
    """Read a constant that an index register is added to; None for all else."""
    text = text.strip()
    found = _CONSTANT.fullmatch(text)
    return Operand(written=text, base="", index=found["index"].upper()) if found and found["index"] else None


def canonical(device: str) -> str:
    """One spelling per device: upper case, no leading zeros (FX writes X000, comment files X0A, programs XA)."""
    head, dot, bit = device.strip().upper().partition(".")
    return _LEADING_ZEROS.sub(r"\1", head) + dot + bit


def is_label(operand: str) -> bool:
    """Whether the operand is the name of a label: neither a device nor a constant."""
    return bool(operand.strip()) and parse_operand(operand) is None and not _CONSTANT.fullmatch(operand.strip())


def devices_in(operands: Iterable[str]) -> Iterator[Operand]:
    """The device operands among operands, each spelling once, in order."""
    seen: set[str] = set()
    for text in operands:
        operand = parse_operand(text)
        if operand and operand.written not in seen:
            seen.add(operand.written)
            yield operand
