"""Which operand of an instruction has which role, and how many devices it stands for: the table, made searchable."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.ladder.instruction import is_pointer
from domain.ladder.instruction_table import COMPARED, COMPARISONS, CONTACTS, FX_TABLE, TABLE
from domain.ladder.roles import Role

_TOKEN = re.compile(r"(?P<role>[a-z]+|-)(?P<width>\d|'|=)?(?:\[(?P<count>\d+|n|k|\?|\.\.)\])?")
_ROLES: Mapping[str, tuple[Role, ...]] = {
    "s": (Role.READ,),
    "d": (Role.WRITE,),
    "m": (Role.READ, Role.WRITE),
    "n": (Role.READ,),
    "k": (Role.READ,),
    "set": (Role.SET,),
    "rst": (Role.RESET,),
    "pls": (Role.PULSE,),
    "pre": (Role.PRESET,),
    "sft": (Role.WRITE,),
    "-": (),
}
_BEFORE: Mapping[str, tuple[Role, ...]] = {"sft": (Role.READ, Role.RESET)}
OPEN = "?"
UP_TO_NEXT = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class OperandRole:
    """What an instruction does to one operand.

    A value takes `words` words; one that `is_as_wide` takes two where the first operand's device holds two. `before`
    is what is done to the device before it. `count` is how many values there are: a number, OPEN, UP_TO_NEXT, or the
    `name` of the operand that says it.
    """

    name: str
    roles: tuple[Role, ...]
    words: int
    count: str = "1"
    before: tuple[Role, ...] = ()
    is_as_wide: bool = False


_Alternatives = Mapping[int, tuple[OperandRole, ...]]
_LABEL = {0: ()}


def operand_roles(mnemonic: str, operand_count: int, *, is_fx: bool = False) -> tuple[OperandRole, ...] | None:
    """What each operand is for; None for an instruction, or a number of its operands, that no table has."""
    alternatives = (_FX.get(mnemonic) if is_fx else None) or _ALL.get(mnemonic)
    if alternatives is None and is_pointer(mnemonic):
        alternatives = _LABEL
    return alternatives.get(operand_count) if alternatives is not None else None


def known_instructions() -> frozenset[str]:
    """Every name in the tables, variants included."""
    return frozenset(_ALL) | frozenset(_FX)


def _read(table: str) -> Iterator[tuple[str, _Alternatives]]:
    for line in filter(None, table.splitlines()):
        names, variants, operands = (part.split() for part in line.split("|"))
        words = next((int(each[1:]) for each in variants if each.startswith("w")), 1)
        for name in names:
            yield from _variants(name, " ".join(operands), words, has_pulse="P" in variants)
            if "D" in variants:
                yield from _variants(f"D{name}", " ".join(operands), 2 * words, has_pulse="P" in variants)


def _variants(name: str, operands: str, words: int, *, has_pulse: bool) -> Iterator[tuple[str, _Alternatives]]:
    alternatives = _alternatives(operands, words)
    yield name, alternatives
    if has_pulse:
        stem, unsigned, _ = name.partition("_U")
        yield f"{stem}P{unsigned}", alternatives


def _alternatives(operands: str, words: int) -> _Alternatives:
    read = (tuple(_operand_role(token, words) for token in each.split()) for each in operands.split("/"))
    return MappingProxyType({len(each): each for each in read})


def _operand_role(token: str, words: int) -> OperandRole:
    found = _TOKEN.fullmatch(token)
    if not found:
        raise ValueError(f"{token} is no operand of the table")
    width = found["width"]
    return OperandRole(
        name=found["role"],
        roles=_ROLES[found["role"]],
        words=2 * words if width == "'" else int(width) if width and width != "=" else words,
        count=found["count"] or "1",
        before=_BEFORE.get(found["role"], ()),
        is_as_wide=width == "=",
    )


def _comparisons() -> Iterator[tuple[str, _Alternatives]]:
    for kind, operands in COMPARED.items():
        alternatives = _alternatives(operands, 1)
        for contact in CONTACTS:
            for comparison in COMPARISONS:
                yield f"{contact}{kind}{comparison}", alternatives
                yield f"{contact}{kind}{comparison}_U", alternatives
    blocks = _alternatives("s[n] s[n] d[n] n", 1), _alternatives("s2[n] s2[n] d[n] n", 1)
    for comparison in COMPARISONS:
        for pulse in ("", "P"):
            yield f"BKCMP{comparison}{pulse}", blocks[0]
            yield f"DBKCMP{comparison}{pulse}", blocks[1]


_ALL: Mapping[str, _Alternatives] = dict((*_read(TABLE), *_comparisons()))
_FX: Mapping[str, _Alternatives] = dict(_read(FX_TABLE))
