"""Device addresses as numbers: which devices lie between two of them, and which are words, which single bits."""

import re
from dataclasses import dataclass

# Eleven octal digits are 32 bits: with fewer, a long X or Y would be taken for a decimal device of that name.
_ADDRESS = re.compile(
    r"(?P<hexadecimal>(?:J\d{1,3}\\)?(?:DX|DY|SB|SW|X|Y|B|W))(?P<digits>[0-9A-F]{1,11})"
    r"|(?P<decimal>U[0-9A-F]{1,4}\\H?G|BL\d{1,3}\\(?:S|TR)|[A-Z]{1,3})(?P<number>\d{1,10})"
)
_HEXADECIMAL = re.compile(r"(?:J\d{1,3}\\)?(?:DX|DY|SB|SW|X|Y|B|W)")
_OCTAL_DIGITS = re.compile("[0-7]+")
_BITS = frozenset("X Y X8 Y8 DX DY M L F B SB S SM FX FY BL TR TS TC CS CC P I N".split())
# One number is a value of 32 bits already.
_DOUBLE_WORDS = frozenset("LT LST LC LZ".split())
# From here on the counters of an FX count in 32 bits.
_FX_DOUBLE_COUNTER = 200
_OCTAL = {"X": "X8", "Y": "Y8"}
_MOST = 2**31 - 2**21
LARGEST = 2**31 - 2
"""Where a range ends at the latest: the record keeps 32 bits, and compares with the number after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Device `number` of a `space` of equal devices.

    The space is what stands before the number: D, ZR, that of a module's buffer memory. X and Y of an FX, which
    counts them octally, are spaces of their own: X8 and Y8.
    """

    space: str
    number: int

    def __str__(self) -> str:
        digits = {8: "o", 10: "d", 16: "X"}[base_of(self.space)]
        return f"{self.kind}{self.number:{digits}}"

    @property
    def kind(self) -> str:
        """What is written before the number."""
        return self.space[0] if self.space in _OCTAL.values() else self.space

    @property
    def is_bit(self) -> bool:
        """Whether the device is a single bit."""
        return self.space.rpartition("\\")[2] in _BITS

    def words(self, *, is_fx: bool) -> int:
        """How many words one such device holds."""
        is_double = is_fx and self.space == "C" and self.number >= _FX_DOUBLE_COUNTER
        return 2 if is_double or self.space in _DOUBLE_WORDS else 1


def spaces_of(kind: str) -> tuple[str, ...]:
    """The spaces of the devices that are written with this before the number: two for X and Y."""
    return (kind, _OCTAL[kind]) if kind in _OCTAL else (kind,)


def base_of(space: str) -> int:
    """In which base the numbers of a space are written."""
    if space in _OCTAL.values():
        return 8
    return 16 if _HEXADECIMAL.fullmatch(space) else 10


def parse_address(device: str, *, is_fx: bool) -> Address | None:
    """The number of a device in canonical spelling, without bit; None for what no CPU has."""
    found = _ADDRESS.fullmatch(device)
    if not found:
        return None
    space = found["hexadecimal"] or found["decimal"]
    if is_fx and space in _OCTAL and _OCTAL_DIGITS.fullmatch(found["digits"]):
        space, number = _OCTAL[space], int(found["digits"], 8)
    else:
        number = int(found["digits"], 16) if found["digits"] else int(found["number"])
    return Address(space=space, number=number) if number < _MOST else None
