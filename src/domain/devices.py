"""Device addresses of MELSEC controllers: how they are written, and which devices an operand touches."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_HEXADECIMAL = r"(?:DX|DY|SB|SW|X|Y|B|W)[0-9A-F]+"
_DECIMAL = r"(?:LST|LT|LC|LZ|ST|SM|SD|ZR|FX|FY|FD|RD|BL|TR|TS|TC|TN|CS|CC|CN|M|L|S|F|V|T|C|D|R|Z|P|I|N|J)\d+"
_MODULE = r"U[0-9A-F]+\\(?:G|HG)\d+"
_LINK = r"J\d+\\(?:SB|SW|X|Y|B|W)[0-9A-F]+"
_OPERAND = re.compile(
    rf"@?(?P<digits>K[1-8](?=[A-Z]))?(?P<base>{_MODULE}|{_LINK}|{_DECIMAL}|{_HEXADECIMAL})"
    r"(?P<index>L?Z+\d+)?(?P<bit>\.[0-9A-F])?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^([A-Z]+)0+(?=[0-9A-F])", re.IGNORECASE)
_CONSTANT = re.compile(r"K[-+]?\d+|H[0-9A-F]+|E[-+]?\d.*|\".*\"?|[-+]?\d+(?:\.\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A device operand: `K4M0Z1` is four digits (16 bits) from M0 on, shifted by Z1; `D100.F` is bit 15 of D100."""

    written: str
    base: str
    digits: str = ""
    index: str = ""
    bit: str = ""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that it names, in canonical spelling, the most precise first."""
        precise = f"{self.base}.{self.bit}" if self.bit else self.base
        return tuple(dict.fromkeys(name for name in (precise, self.base, self.index) if name))


def parse_operand(text: str) -> Operand | None:
    """Read an operand as a device; None for constants, labels and strings (`H10D1` is a constant)."""
    text = text.strip()
    if _CONSTANT.fullmatch(text) and not text.upper().startswith(("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8")):
        return None
    found = _OPERAND.fullmatch(text)
    if not found:
        return None
    return Operand(
        written=text,
        base=canonical(found["base"]),
        digits=(found["digits"] or "").upper(),
        index=(found["index"] or "").upper(),
        bit=(found["bit"] or "").removeprefix(".").upper(),
    )


def canonical(device: str) -> str:
    """One spelling per device: upper case, no leading zeros (FX writes X000, comment files X0A, programs XA)."""
    head, dot, bit = device.strip().upper().partition(".")
    return _NUMBER.sub(r"\1", head) + dot + bit


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
