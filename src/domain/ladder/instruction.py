"""Instructions of a ladder, and which of them decide where a rung begins."""

import re
from dataclasses import dataclass

_COMPARE = re.compile(r"(?:LD|AND|OR)(?:|D|E|ED|\$|DT|TM)(?:=|<>|<=|>=|<|>)(?:_U)?")
_CONTACTS = frozenset("LD LDI LDP LDF LDPI LDFI AND ANI ANDP ANDF ANDPI ANDFI OR ORI ORP ORF ORPI ORFI".split())
_CONNECTIONS = frozenset("ANB ORB INV MPS MRD MPP MEP MEF EGP EGF".split())
_UNCONDITIONAL = frozenset("FEND END RET SRET IRET NEXT DI EI NOP MCR STL".split())
_POINTER = re.compile(r"[PI]\d+")
TERMINATORS = frozenset("FEND END RET SRET IRET NEXT NOP MCR".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction as listed. `step` is None where the listing has none; `notes` are the texts beneath it."""

    step: int | None
    mnemonic: str
    operands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.mnemonic, *self.operands))


def is_condition(mnemonic: str) -> bool:
    """Whether the instruction belongs to the condition side: contacts, block joins, branches, compares."""
    return mnemonic in _CONTACTS or mnemonic in _CONNECTIONS or _COMPARE.fullmatch(mnemonic) is not None


def is_load(mnemonic: str) -> bool:
    """Whether the instruction opens a block: LD, LDI, LDP, LD=, LDD<> …, but not LDF's like-named neighbours."""
    return mnemonic.startswith("LD") and is_condition(mnemonic)


def is_pointer(mnemonic: str) -> bool:
    """Whether this is a label of a jump or an interrupt, which stands in the instruction column."""
    return mnemonic.startswith(("P", "I")) and _POINTER.fullmatch(mnemonic) is not None


def starts_rung(mnemonic: str, previous: str | None) -> bool:
    """Whether a rung begins here, given the mnemonic before it (None at the start of the program).

    A load after a condition opens a parallel block of the same rung; everything else that is not an
    unconditional instruction continues the rung, outputs included (MPS, MRD and MPP branch to several).
    """
    if previous is None or mnemonic in _UNCONDITIONAL or is_pointer(mnemonic):
        return True
    if mnemonic == "FOR":
        return not is_condition(previous)
    return is_load(mnemonic) and not is_condition(previous)


def is_balanced(mnemonics: list[str]) -> bool:
    """Whether a rung's blocks are joined: one more load than joins (none if unconditional), as many MPP as MPS."""
    loads = sum(map(is_load, mnemonics))
    joins = mnemonics.count("ANB") + mnemonics.count("ORB")
    return loads - joins == (1 if loads else 0) and mnemonics.count("MPS") == mnemonics.count("MPP")
