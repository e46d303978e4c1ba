"""What looks wrong about the devices of a program: nothing that refuses it, but what an engineer wants to know."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.addresses import Address
from domain.ladder.roles import GIVING, Role
from domain.touched import Touched

# How many devices a use may reach beyond its first one where only the running program knows.
_PERHAPS = 64
# Modules, networks and the CPU read and write these as well, and so does whoever keeps recipes in file registers.
_SHARED = frozenset("SM SD DX DY FX FY FD B W SB SW".split())
_READ_ELSEWHERE = _SHARED | {"Y", "Y8"}
_WRITTEN_ELSEWHERE = _SHARED | {"X", "X8", "R", "ZR"}
_NO_VALUES = frozenset("P I N Z LZ".split())
_COMMENTED = frozenset("X Y X8 Y8 M L F B T ST C D W R ZR".split())
# From here on an FX has special relays and registers.
_FX_SPECIAL = 8_000


class Suspicion(StrEnum):
    """The codes under which it is reported."""

    COIL_DOUBLE = "coil_double"
    NEVER_READ = "device_never_read"
    NEVER_WRITTEN = "device_never_written"
    NO_COMMENT = "device_no_comment"
    POINTER_MISSING = "pointer_missing"
    POINTER_UNUSED = "pointer_unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A device that looks wrong, and uses of it that show why."""

    suspicion: Suspicion
    address: Address
    touched: Touched


def suspects(touched: Sequence[Touched], commented: Collection[str]) -> Mapping[Suspicion, Sequence[Suspect]]:
    """All of them by suspicion, in the order of the devices. Where no device has a comment, none lacks one."""
    firm = [each for each in touched if not each.is_vague]
    reads = _Covered(touched, lambda role: role in {Role.READ, Role.UNKNOWN})
    gifts = _Covered(touched, lambda role: role in GIVING or role is Role.UNKNOWN)
    given = list(_firsts(each for each in firm if each.role in GIVING))
    read = list(_firsts(each for each in firm if each.role is Role.READ))
    is_fx = any(each.space in {"X8", "Y8"} for each in touched)
    # Of a step ladder, each state may drive the same coil: an FX runs the rungs of those alone that are on.
    has_steps = any(each.is_step for each in touched)
    found: Mapping[Suspicion, Iterable[Touched]] = {
        Suspicion.COIL_DOUBLE: (each for each in firm if each.is_coil and each.count > 1 and not has_steps),
        Suspicion.NEVER_READ: (
            each for each in given if _is_own(each, _READ_ELSEWHERE, is_fx=is_fx) and not reads.overlap(each)
        ),
        Suspicion.NEVER_WRITTEN: (
            each for each in read if _is_own(each, _WRITTEN_ELSEWHERE, is_fx=is_fx) and not gifts.overlap(each)
        ),
        Suspicion.NO_COMMENT: _without_comment(touched, commented),
        Suspicion.POINTER_MISSING: (each for each in read if each.space == "P" and not gifts.overlap(each)),
        Suspicion.POINTER_UNUSED: (each for each in given if each.space == "P" and not reads.overlap(each)),
    }
    return {
        suspicion: [
            Suspect(suspicion=suspicion, address=Address(space=each.space, number=each.first), touched=each)
            for each in of_one
        ]
        for suspicion, of_one in found.items()
    }


class _Covered:
    """Which devices are covered by uses of some roles, in disjoint ranges for each space."""

    def __init__(self, touched: Iterable[Touched], is_meant: Callable[[Role], bool]) -> None:
        self._ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
        meant = (each for each in touched if is_meant(each.role))
        for each in sorted(meant, key=lambda each: (each.space, each.first)):
            ranges, last = self._ranges[each.space], each.last + _PERHAPS * each.is_vague
            if ranges and each.first <= ranges[-1][1] + 1:
                ranges[-1] = (ranges[-1][0], max(ranges[-1][1], last))
            else:
                ranges.append((each.first, last))

    def overlap(self, one: Touched) -> bool:
        """Whether any device of a use is among them."""
        ranges = self._ranges.get(one.space, [])
        place = bisect_left(ranges, one.first, key=lambda each: each[1])
        return place < len(ranges) and ranges[place][0] <= one.last


def _firsts(touched: Iterable[Touched]) -> Iterator[Touched]:
    """One for each device that a use begins at, bits of a word taken together."""
    seen: set[tuple[str, int]] = set()
    for each in touched:
        if (each.space, each.first) not in seen:
            seen.add((each.space, each.first))
            yield each


def _is_own(one: Touched, elsewhere: Collection[str], *, is_fx: bool) -> bool:
    """Whether nobody but the program itself is expected to do the other half."""
    is_special = is_fx and one.space in {"M", "D"} and one.first >= _FX_SPECIAL
    return not (is_special or one.space in elsewhere or one.space in _NO_VALUES or "\\" in one.space)


def _without_comment(touched: Iterable[Touched], commented: Collection[str]) -> Iterator[Touched]:
    if not commented:
        return
    for each in _firsts(one for one in touched if one.space in _COMMENTED):
        name = str(Address(space=each.space, number=each.first))
        if name not in commented and (each.bit is None or f"{name}.{each.bit:X}" not in commented):
            yield each
