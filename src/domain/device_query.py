"""Which device somebody asks for, and which devices of a program."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.addresses import Address, base_of, parse_address, spaces_of
from domain.devices import parse_operand
from domain.errors import InvalidRequestError
from domain.told import told

MAX_ADDRESS_CHARACTERS = 32
_LARGEST = 2**31 - 1
_PREFIX = re.compile(
    r"(?P<space>U[0-9A-F]{1,4}\\H?G|BL\d{1,3}\\(?:S|TR)|(?:J\d{1,3}\\)?(?:DX|DY|SB|SW|X|Y|B|W))(?P<digits>[0-9A-F]+)"
)
_DECIMAL_PREFIX = re.compile(r"(?P<space>[A-Z]{1,3})(?P<digits>\d+)")
# A module (U3), a network (J1) or a block of a sequential chart (BL1), whose devices follow behind a backslash.
_NUMBERED_SPACE = re.compile(r"(?:U|J|BL)\d+")
_SPACE_PREFIX = re.compile(r"[A-Z][A-Z0-9\\]{0,11}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDevice:
    """A device as its name is understood by each kind of CPU: X10 is the 17th input of a Q, the 9th of an FX."""

    name: str
    addresses: tuple[Address, ...]
    bit: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Under which names it may have a comment, the most precise first."""
        return tuple(dict.fromkeys((self.name, self.name.partition(".")[0])))

    def is_covered_by(self, space: str, first: int, last: int, bit: int | None) -> bool:
        """Whether devices of a space, or a bit of one, have it among them."""
        is_among = any(each.space == space and first <= each.number <= last for each in self.addresses)
        return is_among and (self.bit is None or bit is None or self.bit == bit)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRange:
    """The devices of a space from `first` to `last`, both included."""

    space: str
    first: int = 0
    last: int = _LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """The devices of these ranges, and those of spaces whose name begins so. It names either, or it would be all."""

    ranges: tuple[NumberRange, ...] = ()
    space_prefix: str = ""

    def __post_init__(self) -> None:
        if not self.ranges and not self.space_prefix:
            raise ValueError("a filter of devices names ranges or how the space begins")

    def admits(self, address: Address) -> bool:
        """Whether the device is one of those that are wanted."""
        if self.space_prefix and address.space.startswith(self.space_prefix):
            return True
        return any(each.space == address.space and each.first <= address.number <= each.last for each in self.ranges)


def wanted_device(text: str) -> WantedDevice:
    """Read the name of a device, a bit of a word included. Raises InvalidRequestError."""
    operand = parse_operand(text) if len(text) <= MAX_ADDRESS_CHARACTERS else None
    found = [parse_address(operand.base, is_fx=is_fx) for is_fx in (False, True)] if operand else []
    addresses = tuple(dict.fromkeys(each for each in found if each))
    if operand is None or not addresses or operand.index or operand.written[0] in "@Kk":
        raise InvalidRequestError(
            "address", told("this is no device; one is written like M100, X1F, D100.5 or U3\\G10")
        )
    return WantedDevice(name=operand.devices[0], addresses=addresses, bit=int(operand.bit, 16) if operand.bit else None)


def device_filters(kind: str | None, prefix: str | None) -> tuple[DeviceFilter, ...]:
    """What narrows a listing of devices: a kind (D, X, SM), how the device's name begins, or both.

    Raises InvalidRequestError for a prefix that no name of a device has.
    """
    filters = []
    if kind is not None:
        filters.append(DeviceFilter(ranges=tuple(NumberRange(space=space) for space in spaces_of(kind.upper()))))
    if prefix is not None:
        filters.append(_by_prefix(prefix.strip().upper()))
    return tuple(filters)


def _by_prefix(prefix: str) -> DeviceFilter:
    ranges: tuple[NumberRange, ...] = ()
    found = _PREFIX.fullmatch(prefix) or _DECIMAL_PREFIX.fullmatch(prefix)
    if found:
        spaces = spaces_of(found["space"])
        ranges = tuple(each for space in spaces for each in _beginning_with(space, found["digits"]))
    begins_a_space = (_NUMBERED_SPACE if found else _SPACE_PREFIX).fullmatch(prefix)
    if ranges or begins_a_space:
        return DeviceFilter(ranges=ranges, space_prefix=prefix if begins_a_space else "")
    raise InvalidRequestError("prefix", told("no device's name begins so"))


def _beginning_with(space: str, digits: str) -> Iterator[NumberRange]:
    """The numbers that are written with these digits first: 1, 10 to 19, 100 to 199 and so on."""
    base = base_of(space)
    try:
        first = int(digits, base)
    except ValueError:
        return  # an FX has no X9
    last = first
    while first <= _LARGEST:
        yield NumberRange(space=space, first=first, last=min(last, _LARGEST))
        if digits.startswith("0"):
            return  # no device is written with zeros in front
        first, last = first * base, last * base + base - 1
