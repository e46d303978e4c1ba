"""A rung: what an engineer sees as one circuit, cut out of a listing with every row it had."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.ladder.instruction import TERMINATORS, Instruction, is_balanced, starts_rung
from domain.normal_forms import compatible

Row = tuple[str, ...]
STEP, STATEMENT, INSTRUCTION, OPERAND, _BLANK, POINTER_STATEMENT, NOTE = range(7)
_TITLE_PREFIX = re.compile(r"^\s*(?:\[Title\]|\*)?\s*", re.IGNORECASE)
_STEP_NUMBER = re.compile(r"[0-9]{1,9}")
_SILENT = TERMINATORS | {""}
_OPERANDS = re.compile(r'"(?:[^"]|"")*"|\S+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """The rows [first_row, first_row + len(rows)) of a listing; `first_row` counts from 1."""

    first_row: int
    rows: tuple[Row, ...]
    statements: tuple[str, ...]
    instructions: tuple[Instruction, ...]

    @property
    def title(self) -> str:
        """The statements in one line, without GX Works' prefixes and drawn lines; empty where they hold no word."""
        return _title(self.statements)

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note of the rung, blanks collapsed."""
        return tuple(" ".join(note.split()) for instruction in self.instructions for note in instruction.notes)

    @property
    def steps(self) -> tuple[int, int] | None:
        """First and last step number of the instructions; None where the listing has none."""
        numbers = [instruction.step for instruction in self.instructions if instruction.step is not None]
        return (numbers[0], numbers[-1]) if numbers else None

    @property
    def is_balanced(self) -> bool:
        """Whether every block that the rung opens is joined."""
        return is_balanced([instruction.mnemonic for instruction in self.instructions])

    @property
    def says_something(self) -> bool:
        """Whether there is anything to find: a bare END is no answer to any question."""
        return bool(self.title) or any(i.mnemonic not in TERMINATORS for i in self.instructions)


def cut_into_rungs(rows: Sequence[Row], *, first_row: int) -> tuple[Rung, ...]:
    """Cut the rows below a listing's header into rungs. Each row ends up in exactly one rung, in order."""
    borders = [*_rung_starts(rows, mnemonics_of(rows)), len(rows)]
    return tuple(_read_rung(tuple(rows[start:stop]), first_row=first_row + start) for start, stop in pairwise(borders))


def count_telling_rungs(rows: Sequence[Row]) -> int:
    """How many of the rungs say something. None is made for it: that takes longer than all the rest."""
    mnemonics = mnemonics_of(rows)
    borders = [*_rung_starts(rows, mnemonics), len(rows)]
    return sum(
        not _SILENT.issuperset(mnemonics[start:stop]) or _is_titled(rows[start:stop])
        for start, stop in pairwise(borders)
    )


def cell(row: Row, column: int) -> str:
    """A cell of a ragged row; empty beyond its end."""
    return row[column] if column < len(row) else ""


def mnemonic_of(row: Row) -> str:
    """The mnemonic alone, upper case, empty where there is none: people also write `mov D0 D1` into that column."""
    return _mnemonic(cell(row, INSTRUCTION))


def mnemonics_of(rows: Sequence[Row]) -> list[str]:
    """The mnemonic of each row; each spelling is read once, for a listing has few."""
    cells = [cell(row, INSTRUCTION) for row in rows]
    known = {text: _mnemonic(text) for text in set(cells)}
    return [known[text] for text in cells]


def _mnemonic(text: str) -> str:
    if text.isascii() and text.isupper() and text.isalnum():  # nearly all of them
        return text
    return compatible(text).strip().split(" ", 1)[0].upper()


def _is_titled(rows: Sequence[Row]) -> bool:
    return bool(_title(statement for row in rows if (statement := cell(row, STATEMENT))))


def _title(statements: Iterable[str]) -> str:
    cleaned = (" ".join(_TITLE_PREFIX.sub("", text, count=1).strip("-=* ").split()) for text in statements)
    return " ".join(text for text in cleaned if any(map(str.isalnum, text)))


def _rung_starts(rows: Sequence[Row], mnemonics: Sequence[str]) -> list[int]:
    """Row indexes at which a rung begins: at its statements where it has any, else at its first instruction."""
    starts: list[int] = []
    previous: str | None = None
    statements_from: int | None = None
    for index, (row, mnemonic) in enumerate(zip(rows, mnemonics, strict=True)):
        if not mnemonic:
            if statements_from is None and cell(row, STATEMENT):
                statements_from = index
            continue
        if starts_rung(mnemonic, previous):
            # Whatever precedes the first instruction of a program belongs to its first rung.
            starts.append(0 if previous is None else index if statements_from is None else statements_from)
        statements_from = None
        previous = mnemonic
    return starts or ([0] if rows else [])


def _read_rung(rows: tuple[Row, ...], *, first_row: int) -> Rung:
    statements: list[str] = []
    instructions: list[Instruction] = []
    started: tuple[int | None, str] | None = None
    operands: list[str] = []
    notes: list[str] = []

    def close() -> None:
        if started:
            step, mnemonic = started
            instructions.append(Instruction(step=step, mnemonic=mnemonic, operands=tuple(operands), notes=tuple(notes)))
            operands.clear()
            notes.clear()

    for row in rows:
        if statement := cell(row, STATEMENT):
            statements.append(statement)
        if mnemonic := mnemonic_of(row):
            close()
            started = _step(cell(row, STEP)), mnemonic
            operands += _OPERANDS.findall(cell(row, INSTRUCTION))[1:]
        if started:  # what stands before the first instruction is nobody's; its rows are kept all the same
            operands += _operands(cell(row, OPERAND))
            notes += (text for text in (cell(row, POINTER_STATEMENT), cell(row, NOTE)) if text.strip())
    close()
    return Rung(first_row=first_row, rows=rows, statements=tuple(statements), instructions=tuple(instructions))


def _operands(text: str) -> list[str]:
    """GX Works writes one operand a cell; hand-made files put several into one, separated by blanks."""
    return [text] if text and " " not in text else _OPERANDS.findall(text)


def _step(text: str) -> int | None:
    return int(text) if _STEP_NUMBER.fullmatch(text) else None
