"""A ladder listing: one program body as GX Works exports it, in any of its languages, with every cell kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from domain.document import LadderFacts
from domain.ladder.rung import (
    INSTRUCTION,
    OPERAND,
    STEP,
    Row,
    Rung,
    cell,
    count_telling_rungs,
    cut_into_rungs,
    mnemonic_of,
)
from domain.ladder.table import Table, TableError, decode_table, normalised, render_table
from domain.told import told

_ROWS_BEFORE_HEADER = 5
_STEP_HEADS = frozenset(map(normalised, ("Step No.", "ステップ番号", "步号", "步號", "스텝 번호", "스텝 No.")))
_INSTRUCTION_HEADS = frozenset(map(normalised, ("Instruction", "命令", "指令", "명령", "명령어")))
_OPERAND_HEADS = frozenset(
    map(normalised, ("I/O (Device)", "I/O(デバイス)", "I/O(软元件)", "I/O(軟元件)", "I/O(디바이스)"))
)
_HEADS = ((STEP, _STEP_HEADS), (INSTRUCTION, _INSTRUCTION_HEADS), (OPERAND, _OPERAND_HEADS))
_GX_WORKS2 = tuple(map(normalised, ("PLC Information", "PC情報", "PLC信息", "PLC 정보")))
_GX_WORKS3 = tuple(map(normalised, ("Module Type Information", "機種情報", "机型信息", "기종 정보")))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A parsed listing. `cpu` is as written; the program is known by its file's name alone.

    `header` is the index of the header row.
    """

    table: Table
    tool: str
    cpu: str
    header: int

    @property
    def body(self) -> tuple[Row, ...]:
        """The rows below the header."""
        return self.table.rows[self.header + 1 :]

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The rows below the header, cut. Made when first asked for: a check of the listing needs none of them."""
        return cut_into_rungs(self.body, first_row=self.header + 2)

    @property
    def is_fx(self) -> bool:
        """Whether the CPU is an FX, which counts X and Y octally; without a word of the CPU it is not."""
        return self.cpu.strip().upper().startswith("FX")

    def facts(self) -> LadderFacts:
        """What the parser found out, for the caller's report. Rows are those below the header that hold anything."""
        return LadderFacts(
            encoding=self.table.encoding,
            delimiter={"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}[self.table.delimiter],
            tool=self.tool,
            cpu=self.cpu,
            row_count=sum(map(any, self.body)),
            rung_count=count_telling_rungs(self.body),
        )

    def rows(self) -> Iterator[Row]:
        """Every row again, put together from what was cut: nothing is lost."""
        yield from self.table.rows[: self.header + 1]
        for rung in self.rungs:
            yield from rung.rows


def parse_listing(content: bytes) -> Listing:
    """Parse the bytes of a ladder CSV. Raises TableError naming the row and the remedy."""
    table = decode_table(content)
    header = _find_header(table)
    body = table.rows[header + 1 :]
    _refuse_second_header(body, first_row=header + 2)
    if not any(map(mnemonic_of, body)):
        raise TableError(
            "csv_no_rows",
            told("the listing holds no instruction"),
            hint=told("Export the program body again; an empty program still ends with END."),
            row=header + 1,
        )
    tool, cpu = _origin(table.rows[:header], table.rows[header])
    return Listing(table=table, tool=tool, cpu=cpu, header=header)


def render_listing(listing: Listing) -> bytes:
    """Write a listing as GX Works would, in its own encoding and delimiter, with the cells it was read from."""
    table = listing.table
    return render_table(Table(encoding=table.encoding, delimiter=table.delimiter, rows=tuple(listing.rows())))


def _find_header(table: Table) -> int:
    if not any(map(any, table.rows)):
        raise TableError("csv_no_rows", told("the file holds no row"), hint=told("Export the program body again."))
    for index, row in enumerate(table.rows[:_ROWS_BEFORE_HEADER]):
        if _is_header(row):
            return index
    raise TableError(
        "not_a_ladder",
        told(
            "no header row 'Step No., Line Statement, Instruction, …' in the first {rows} rows",
            rows=_ROWS_BEFORE_HEADER,
        ),
        hint=told("Export a ladder program with 'Write to CSV File'; label lists and device comments are no ladder."),
        row=1,
    )


def _refuse_second_header(body: Sequence[Row], *, first_row: int) -> None:
    instructions = {cell(row, INSTRUCTION) for row in body}
    if not any(normalised(text) in _INSTRUCTION_HEADS for text in instructions):  # nearly every listing
        return
    for number, row in enumerate(body, start=first_row):
        if _is_header(row):
            raise TableError(
                "csv_invalid",
                told("row {row} is a second header: two exports stand in one file", row=number),
                hint=told("Keep one export per file."),
                row=number,
            )


def _is_header(row: Row) -> bool:
    return all(normalised(cell(row, column)) in spellings for column, spellings in _HEADS)


def _origin(preamble: tuple[Row, ...], header: Row) -> tuple[str, str]:
    for row in preamble:
        label = normalised(cell(row, 0)).rstrip(":")
        for tool, labels in (("GX Works2", _GX_WORKS2), ("GX Works3", _GX_WORKS3)):
            if label in labels:
                return tool, cell(row, 1)
    # GX Works3 alone writes a blank before the bracket.
    return ("GX Works3" if "(" in cell(header, OPERAND) and " (" in cell(header, OPERAND) else "unknown"), ""
