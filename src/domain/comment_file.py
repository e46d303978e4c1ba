"""The device-comment CSV: GX Works' own shape and the shapes in which people keep such lists."""

import re
from collections.abc import Callable, Iterator

from domain.comments import DeviceComments
from domain.devices import canonical, parse_operand
from domain.ladder.table import Table, TableError, decode_table, normalised

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
    r"(?:device)?comments?(?:name|\d+)?|コメント\d*|注释\d*|注解\d*|코멘트\d*|주석\d*|설명|.*한국어|.*日本語"
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
        for device_of, comment_at in columns:
            device, comment = device_of(row), row[comment_at] if comment_at < len(row) else ""
            if comment.strip() and parse_operand(device):
                comments.setdefault(canonical(device), comment)
    return DeviceComments(by_device=comments), tuple(problems[:_MAX_PROBLEMS])


def _find_columns(table: Table) -> tuple[int, list[tuple[DeviceOf, int]]]:
    """The index of the first data row, and for each device column how to read it and where its comment stands."""
    for index, row in enumerate(table.rows[:_ROWS_BEFORE_HEADER]):
        if columns := list(_columns(row)):
            return index + 1, columns
    if not any(map(any, table.rows)):
        raise TableError("csv_no_rows", "the file holds no row", hint="Export the device comments again.")
    raise TableError(
        "header_invalid",
        f"no header row with a device and a comment column in the first {_ROWS_BEFORE_HEADER} rows",
        hint="Export the device comments from GX Works: 'Device Name, Comment'.",
        row=1,
    )


def _columns(header: tuple[str, ...]) -> Iterator[tuple[DeviceOf, int]]:
    heads = [normalised(cell) for cell in header]
    comments = [place for place, head in enumerate(heads) if _COMMENT_HEAD.fullmatch(head)]
    for place, head in enumerate(heads):
        following = [comment for comment in comments if comment > place]
        if not following:
            continue
        if head in _DEVICE_HEADS:
            yield _one_cell(place), following[0]
        elif head in _CODE_HEADS and place + 1 < len(heads) and heads[place + 1] in _NUMBER_HEADS:
            yield _two_cells(place), following[0]


def _one_cell(place: int) -> DeviceOf:
    return lambda row: row[place].strip() if place < len(row) else ""


def _two_cells(place: int) -> DeviceOf:
    return lambda row: "".join(row[place : place + 2]).strip()


def _row_problem(row: tuple[str, ...], number: int, *, width: int) -> TableError | None:
    if any(row[width:]):
        return TableError(
            "csv_row_shape",
            f"row {number} has {len(row)} fields, its header {width}",
            hint="Quote comments that hold the delimiter.",
            row=number,
        )
    return None
