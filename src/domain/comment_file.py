"""The device-comment CSV: GX Works' own shape and the shapes in which people keep such lists."""

import re
from collections.abc import Callable, Iterator

from domain.comments import DeviceComments
from domain.devices import canonical, parse_operand
from domain.ladder.table import Table, TableError, decode_table, normalised
from domain.told import told

_ROWS_BEFORE_HEADER = 5
_MAX_PROBLEMS = 20
_DEVICE_HEADS = frozenset(
    map(
        normalised,
        (
            "Device Name",
            "Device",
            "デバイス名",
            "デバイス",
            "软元件名",
            "软元件",
            "디바이스 이름",
            "디바이스명",
            "디바이스",
            "Comment ID",
        ),
    )
)
_CODE_HEADS = frozenset(map(normalised, ("Device Code", "デバイスコード", "디바이스 코드")))
_NUMBER_HEADS = frozenset(map(normalised, ("Device No.", "Device Number", "デバイス番号", "디바이스 번호")))
_COMMENT_HEAD = re.compile(
    r"(?:device)?comments?(?:name|\d+)?|コメント\d*|注释\d*|注解\d*|코멘트\d*|주석\d*|설명"
    r"|.*한국어|.*日本語|english|chinese.*|korean.*|japanese.*"
)

DeviceOf = Callable[[tuple[str, ...]], str]


def parse_comments(content: bytes) -> tuple[DeviceComments, tuple[TableError, ...]]:
    """Read a comment file: the comments that could be read, and every problem (at most 20) with its row.

    Rows whose first cell is no device are kept out without a word: label names and separators are normal.
    """
    try:
        table = decode_table(content)
        start, columns = _find_columns(table)
    except TableError as error:
        return DeviceComments(), (error,)
    comments: dict[str, str] = {}
    problems: list[TableError] = []
    for number, row in enumerate(table.rows[start:], start=start + 1):
        if problem := _row_problem(row, number, width=len(table.rows[start - 1])):
            problems.append(problem)
            continue
        for device_of, comments_at in columns:
            device, comment = device_of(row), _first_comment(row, comments_at)
            if comment and parse_operand(device):
                comments.setdefault(canonical(device), comment)
    if not any(map(any, table.rows[start:])):
        hint = told("Export the device comments again.")
        problems.append(TableError("csv_no_rows", told("only a header"), hint=hint, row=start))
    return DeviceComments(by_device=comments), tuple(problems[:_MAX_PROBLEMS])


def _first_comment(row: tuple[str, ...], places: range) -> str:
    """GX Works3 has a column for each language; the first that says something is the one."""
    return next((row[place] for place in places if place < len(row) and row[place].strip()), "")


def _find_columns(table: Table) -> tuple[int, list[tuple[DeviceOf, range]]]:
    """The index of the first data row; for each device column how to read it and where its comments may stand."""
    for index, row in enumerate(table.rows[:_ROWS_BEFORE_HEADER]):
        if columns := list(_columns(row)):
            return index + 1, columns
    if not any(map(any, table.rows)):
        raise TableError("csv_no_rows", told("the file holds no row"), hint=told("Export the device comments again."))
    raise TableError(
        "header_invalid",
        told("no header row with a device and a comment column in the first {rows} rows", rows=_ROWS_BEFORE_HEADER),
        hint=told("Export the device comments from GX Works: 'Device Name, Comment'."),
        row=1,
    )


def _columns(header: tuple[str, ...]) -> Iterator[tuple[DeviceOf, range]]:
    heads = [normalised(cell).partition("(")[0] for cell in header]
    for place, head in enumerate(heads):
        if head in _DEVICE_HEADS and (comments := _comments_from(heads, place + 1)):
            yield _one_cell(place), comments
        elif head in _CODE_HEADS and _NUMBER_HEADS.intersection(heads[place + 1 : place + 2]):
            yield _two_cells(place), _comments_from(heads, place + 2)


def _comments_from(heads: list[str], start: int) -> range:
    """The run of comment columns that begins at or behind start; empty where a device column comes first."""
    while start < len(heads) and not _COMMENT_HEAD.fullmatch(heads[start]):
        if heads[start] in _DEVICE_HEADS:
            return range(0)
        start += 1
    stop = start
    while stop < len(heads) and _COMMENT_HEAD.fullmatch(heads[stop]):
        stop += 1
    return range(start, stop)


def _one_cell(place: int) -> DeviceOf:
    return lambda row: row[place].strip() if place < len(row) else ""


def _two_cells(place: int) -> DeviceOf:
    return lambda row: "".join(row[place : place + 2]).strip()


def _row_problem(row: tuple[str, ...], number: int, *, width: int) -> TableError | None:
    if any(row[width:]):
        return TableError(
            "csv_row_shape",
            told("row {row} has {fields} fields, its header {width}", row=number, fields=len(row), width=width),
            hint=told("Quote comments that hold the delimiter."),
            row=number,
        )
    return None
