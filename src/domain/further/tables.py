"""Tables of unknown shape cut into passages: each row says its header and its units with every value.

The header is found, not promised: it may stand below titles and blank rows, take several rows (of merged cells the
first alone holds the text), and have its units in a row of their own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.further.passages import PASSAGE_CHARACTERS, Passage, pieces_of

_MOST_HEADER_ROWS = 4
_FEWEST_COLUMNS = 2
_YEARS, _FEWEST_YEARS, _FEWEST_ORDINALS = range(1900, 2200), 2, 3
_LONGEST_NUMBER = 64
_NUMBER = re.compile(r"[-+±]?[\d.,:/\s]*\d[\d.,:/\s]*(?:[eE][-+]?\d+)?%?")
_UNIT_IN_BRACKETS = re.compile(r"[(\[（【<].{1,12}[)\]）】>]")
_UNIT = re.compile(
    r"-|%|‰|℃|℉|°[CF]?|deg|[µμmkcMnG]?(?:m|g|s|A|V|W|Hz|Pa|N|Nm|N·m|L|l|J|Ω|F|H|bar|Wh|VA)|mm[²³23]?|m[²³23]|kg|t|ton|"
    r"min|sec|h|hr|rpm|r/min|bit|byte|[a-zA-Zµμ³²℃°·]{1,4}/[a-zA-Zµμ³²·]{1,5}[²³23]?|초|분|시간|개|회|일|秒|分|個|回"
)

_CODE = re.compile(r"[A-Z]{1,4}[-_]?[0-9][0-9A-F]*(?:\.[0-9A-F]+)?")

Row = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbered:
    """A row that is not blank and its number, which counts from 1."""

    number: int
    cells: tuple[str, ...]

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @property
    def may_be_header(self) -> bool:
        filled = self.filled
        if len(filled) < _FEWEST_COLUMNS or _is_number(filled[0]):
            return False
        numbers = list(filter(_is_number, filled))
        return not numbers or _are_names(numbers)

    @property
    def is_of_units(self) -> bool:
        units = [bool(_UNIT_IN_BRACKETS.fullmatch(cell) or _UNIT.fullmatch(cell)) for cell in self.filled]
        return bool(units) and 2 * sum(units) >= len(units)


def _is_number(cell: str) -> bool:
    """Of a cell of 30,000 digits and a letter, the expression would look at each beginning with each end."""
    return len(cell) <= _LONGEST_NUMBER and _NUMBER.fullmatch(cell) is not None


def _are_names(numbers: list[str]) -> bool:
    """Whether numbers name columns: years that follow each other, or 1, 2, 3."""
    if not all(number.isdecimal() and len(number) <= len("2025") for number in numbers):
        return False
    counted = list(map(int, numbers))
    first = counted[0]
    if counted != list(range(first, first + len(counted))):
        return False
    return (first in _YEARS and len(counted) >= _FEWEST_YEARS) or (first == 1 and len(counted) >= _FEWEST_ORDINALS)


def table_passages(rows: Iterable[Row], *, sheet: str = "") -> Iterator[Passage]:
    """Passages of a few rows each, every value under its header: `header (unit): value; ...`."""
    header: tuple[str, ...] = ()
    for block in _blocks(rows):
        if not any(len(row.filled) >= _FEWEST_COLUMNS for row in block):
            yield from _of_lines(((row, " ".join(row.filled)) for row in block), sheet)
            continue
        above = _rows_above_a_header(block, has_header=bool(header))
        yield from _of_lines(((row, "; ".join(row.filled)) for row in above), sheet)
        rest = block[len(above) :]
        length = _header_length(rest) if not header or above or _begins_another_table(rest) else 0
        if length:
            header = _joined(rest[:length])
        if length == len(rest):  # a header whose rows come below a blank one, or never
            yield from _of_lines(((row, "; ".join(row.filled)) for row in rest), sheet)
        yield from _of_lines(((row, _said(row, header)) for row in rest[length:]), sheet)


def _blocks(rows: Iterable[Row]) -> Iterator[list[_Numbered]]:
    """Rows without a blank one between them."""
    block: list[_Numbered] = []
    for number, row in enumerate(rows, start=1):
        cells = tuple(" ".join(cell.split()) for cell in row)
        if any(cells):
            block.append(_Numbered(number=number, cells=cells))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _rows_above_a_header(block: list[_Numbered], *, has_header: bool) -> list[_Numbered]:
    """Titles right above the header: rows of one cell with a row of several that may be one below them."""
    first = next(place for place, row in enumerate(block) if len(row.filled) >= _FEWEST_COLUMNS)
    return block[:first] if block[first].may_be_header or not has_header else []


def _begins_another_table(block: list[_Numbered]) -> bool:
    """Whether a block after a blank row has a header of its own: names above values."""
    length = _header_length(block)
    return 0 < length < len(block) and any(map(_is_number, block[length].filled))


def _header_length(block: list[_Numbered]) -> int:
    """How many rows at the beginning are a header."""
    if not block or not block[0].may_be_header or (len(block) > 1 and _is_like(block[0], block[1])):
        return 0
    length = 1
    while length < min(len(block), _MOST_HEADER_ROWS) and _continues(block[:length], block[length]):
        length += 1
    return length


def _is_like(row: _Numbered, below: _Numbered) -> bool:
    """Whether a row is a list's first, no header: a code such as X0 or E101 stands above another one."""
    return any(
        _CODE.fullmatch(cell) and _CODE.fullmatch(under) for cell, under in zip(row.cells, below.cells, strict=False)
    )


def _continues(header: list[_Numbered], row: _Numbered) -> bool:
    """Whether a row belongs to the header above it: it holds units, or names what merged cells above it hold."""
    if any(map(_is_number, row.filled)):
        return False
    if row.is_of_units:
        return not header[-1].is_of_units
    gaps = [place for place, cell in enumerate(header[-1].cells) if not cell]
    return not header[-1].is_of_units and any(place < len(row.cells) and row.cells[place] for place in gaps)


def _joined(rows: list[_Numbered]) -> tuple[str, ...]:
    """One name for each column: what stands above each other, the cells of merged ones repeated, units in brackets."""
    width = max(len(row.cells) for row in rows)
    names = [""] * width
    for place, row in enumerate(rows):
        is_last = place == len(rows) - 1 or rows[place + 1].is_of_units
        is_units = row.is_of_units and place > 0
        cells = _padded(row.cells, width)
        filled = cells if is_last or is_units else _spread(cells, rows[place + 1].cells)
        for column, cell in enumerate(filled):
            if not cell or cell == "-":
                continue
            if is_units:
                names[column] = f"{names[column]} ({cell.strip('()[]（）【】<>')})".strip()
            else:
                names[column] = f"{names[column]} {cell}".strip()
    return tuple(names)


def _spread(cells: Sequence[str], below: Sequence[str]) -> list[str]:
    """A merged cell's text over the columns right of it that have a name below."""
    spread: list[str] = []
    for column, cell in enumerate(cells):
        is_named_below = column < len(below) and bool(below[column])
        spread.append(cell or (spread[-1] if spread and is_named_below else ""))
    return spread


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _said(row: _Numbered, header: tuple[str, ...]) -> str:
    named = zip(_padded(header, len(row.cells)), row.cells, strict=False)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _of_lines(lines: Iterable[tuple[_Numbered, str]], sheet: str) -> Iterator[Passage]:
    """A few lines in each passage; one that is too long alone is cut."""
    gathered: list[tuple[int, str]] = []
    for row, line in lines:
        if gathered and sum(len(text) + 1 for _, text in gathered) + len(line) > PASSAGE_CHARACTERS:
            yield from _passages(gathered, sheet)
            gathered = []
        gathered.append((row.number, line))
    if gathered:
        yield from _passages(gathered, sheet)


def _passages(lines: list[tuple[int, str]], sheet: str) -> Iterator[Passage]:
    first, last = lines[0][0], lines[-1][0]
    rows = f"row {first}" if first == last else f"rows {first}-{last}"
    for piece in pieces_of("\n".join(line for _, line in lines)):
        yield Passage(place=", ".join(filter(None, (sheet, rows))), text=piece, heading=sheet)
