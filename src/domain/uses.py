"""What the instructions of a rung do to devices: each use with its role and the devices that it covers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from domain.addresses import LARGEST, Address, parse_address
from domain.devices import Operand, canonical, parse_indexed_constant, parse_operand
from domain.ladder.instruction import Instruction, is_pointer
from domain.ladder.roles import Role
from domain.ladder.signatures import OPEN, UP_TO_NEXT, OperandRole, operand_roles

USES_VERSION = 2
"""Raise it with any change to what is recorded of uses: workers then record them anew, without embedding anything."""

MOST_OPERANDS = 32
_MOST_VALUES = 2**20
_MOST_CHARACTERS = 64
_DIGITS = re.compile(r"@?K([1-8])(?=[A-Z])", re.IGNORECASE)
_BITS_OF_A_DIGIT = 4
_WORDS_OF_A_PAIR = 2
_COUNT = re.compile(r"K(\d{1,9})|H([0-9A-F]{1,8})", re.IGNORECASE)
_UNKNOWN = OperandRole(name="unknown", roles=(Role.UNKNOWN,), words=1)
_INDEX = OperandRole(name="s", roles=(Role.READ,), words=1)
_LABEL = OperandRole(name="d", roles=(Role.WRITE,), words=1)
# @D0: where to go on stands in D0 and D1.
_INDIRECT = OperandRole(name="s", roles=(Role.READ,), words=2)
_ONE = (1, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One role of the devices from `first` to `last` of a space, both included, in one instruction.

    `bit` is the bit of a word (0 to 15), None for all of it. Of a range that `is_open`, the end is not known: `last`
    is then `first`. A use that `is_shifted` is as many devices further on as an index register says.
    """

    role: Role
    space: str
    first: int
    last: int
    bit: int | None = None
    is_open: bool = False
    is_shifted: bool = False
    step: int | None
    mnemonic: str
    operand: str

    @property
    def head(self) -> Address:
        """The first device."""
        return Address(space=self.space, number=self.first)


def uses_of(instructions: Iterable[Instruction], *, is_fx: bool) -> Iterator[Use]:
    """Every use, in the order in which the instructions name the devices. Labels and constants are no devices."""
    for instruction in instructions:
        yield from _uses_of_one(instruction, is_fx=is_fx)


def _uses_of_one(instruction: Instruction, *, is_fx: bool) -> Iterator[Use]:
    operands = instruction.operands[:MOST_OPERANDS]
    roles = operand_roles(instruction.mnemonic, len(instruction.operands), is_fx=is_fx)
    if is_pointer(instruction.mnemonic):
        yield from _of_operand(instruction, instruction.mnemonic, _LABEL, _ONE, is_fx=is_fx)
    for place, text in enumerate(operands):
        role = roles[place] if roles is not None else _UNKNOWN
        if role.is_as_wide and _is_wide(operands[0], is_fx=is_fx):
            role = replace(role, words=_WORDS_OF_A_PAIR)
        count = _values(role, operands, place, roles or (), is_fx=is_fx)
        yield from _of_operand(instruction, text, role, count, is_fx=is_fx)


def _values(
    role: OperandRole, operands: Sequence[str], place: int, roles: Sequence[OperandRole], *, is_fx: bool
) -> tuple[int, bool]:
    """How many values an operand stands for, and whether nobody knows."""
    if role.count == OPEN:
        return 1, True
    if role.count == UP_TO_NEXT:
        return _up_to(operands[place], operands[place + 1], is_fx=is_fx), False
    if role.count.isdigit():
        return int(role.count), False
    said = next(text for text, each in zip(operands, roles, strict=True) if each.name == role.count)
    if not (found := _COUNT.fullmatch(said.strip())):
        return 1, True
    number = int(found[1]) if found[1] else int(found[2], 16)
    return min(max(number, 1), _MOST_VALUES), False


def _up_to(first: str, last: str, *, is_fx: bool) -> int:
    start, stop = (_address(parse_operand(text), is_fx=is_fx) for text in (first, last))
    if start is None or stop is None or start.space != stop.space:
        return 1
    return min(max(stop.number - start.number + 1, 1), _MOST_VALUES)


def _is_wide(text: str, *, is_fx: bool) -> bool:
    _, address, _ = _read(text, is_fx=is_fx)
    return address is not None and address.words(is_fx=is_fx) > 1


def _address(operand: Operand | None, *, is_fx: bool) -> Address | None:
    return parse_address(operand.base, is_fx=is_fx) if operand else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Devices that an operand concerns, the first of `values`, and in which roles."""

    address: Address
    role: OperandRole
    values: tuple[int, bool] = _ONE
    bit: int | None = None
    is_shifted: bool = False


def _of_operand(
    instruction: Instruction, text: str, role: OperandRole, values: tuple[int, bool], *, is_fx: bool
) -> Iterator[Use]:
    operand, head, index = _read(text, is_fx=is_fx)
    if operand is None:
        return
    if operand.written.startswith("@"):
        role, values = _INDIRECT, _ONE
    parts = [_Part(address=index, role=_INDEX)] if index is not None else []
    if head is not None:
        bit = int(operand.bit, 16) if operand.bit else None
        named = _Part(address=head, role=role, values=values, bit=bit, is_shifted=bool(operand.index))
        parts = [*_before(named), *_halves(named, is_fx=is_fx), *parts]
    for part in parts:
        count, is_open = part.values
        last = part.address.number + count * _devices_of_a_value(part, operand, is_fx=is_fx) - 1
        for each in part.role.roles:
            yield Use(
                role=each,
                space=part.address.space,
                first=part.address.number,
                last=min(last, LARGEST),
                bit=part.bit,
                is_open=is_open,
                is_shifted=part.is_shifted,
                step=instruction.step,
                mnemonic=instruction.mnemonic[:_MOST_CHARACTERS],
                operand=operand.written[:_MOST_CHARACTERS],
            )


def _before(part: _Part) -> Iterator[_Part]:
    """The device, or the bit of the same word, before the one that is named; there may be none."""
    if not part.role.before:
        return
    role = OperandRole(name="before", roles=part.role.before, words=1)
    if part.bit:
        yield replace(part, role=role, bit=part.bit - 1)
    elif part.bit is None and part.address.number:
        yield replace(part, role=role, address=replace(part.address, number=part.address.number - 1))


def _halves(part: _Part, *, is_fx: bool) -> Iterator[_Part]:
    """Of 32 bits in an index register of an FX, the upper half is in V of the same number, not in the next Z."""
    if is_fx and part.address.space == "Z" and part.role.words == _WORDS_OF_A_PAIR:
        role = replace(part.role, words=1)
        for space in ("Z", "V"):
            yield replace(part, role=role, address=replace(part.address, space=space))
    else:
        yield part


@lru_cache(maxsize=4_096)  # a program names few devices often
def _read(text: str, *, is_fx: bool) -> tuple[Operand | None, Address | None, Address | None]:
    operand = parse_operand(text) or parse_indexed_constant(text)
    index = parse_address(canonical(operand.index), is_fx=is_fx) if operand and operand.index else None
    return operand, _address(operand, is_fx=is_fx), index


def _devices_of_a_value(part: _Part, operand: Operand, *, is_fx: bool) -> int:
    if part.address.is_bit:
        digits = _DIGITS.match(operand.written)
        return _BITS_OF_A_DIGIT * int(digits[1]) if digits else 1
    if part.bit is not None:
        return 1
    return max(1, part.role.words // part.address.words(is_fx=is_fx))
