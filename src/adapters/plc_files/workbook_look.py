"""A bounded look at an .xlsx before any library loads it: what loading would allocate, and its first sheet.

One far cell takes a workbook library past 24 GB, because it allocates the whole used range; a shared string of
50 MB fits into 50 KB.
"""

import re
from pathlib import PurePosixPath
from typing import BinaryIO

from adapters.plc_files.archive import Archive, Member, read_archive
from adapters.plc_files.workbook_problems import (
    cell_invalid,
    cell_too_long,
    corrupt,
    mismatched,
    of_its_archive,
    too_large,
    with_macros,
)
from adapters.plc_files.xml_parts import PartReader, check_prolog
from domain.told import told
from domain.upload import MEBIBYTE, UploadLimits

MOST_SHEETS = 50
MOST_CELLS = 2_000_000  # of the used range: what a library allocates, 32 bytes and more for each
_INNER_LIMITS = UploadLimits(entries=2_000, unpacked_bytes=128 * MEBIBYTE)
_CONTENT_TYPES = "[content_types].xml"
_WORKBOOK = "xl/workbook.xml"
_PACKAGE_RELATIONS = "_rels/.rels"
_SHARED_STRINGS = "xl/sharedstrings.xml"
_XML_SUFFIXES = frozenset({".xml", ".rels", ".vml"})
_CELL_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,9})")
_ROW_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_INDEX = re.compile(r"[0-9]{1,10}")
_DATE = re.compile(r"-?\d{4,}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d*)?)?Z?)?|\d\d:\d\d:\d\d(\.\d*)?")


def find_first_sheet(file: BinaryIO, file_bytes: int, limits: UploadLimits) -> str:
    """Check all that will be read and name the first visible worksheet. Raises WorkbookProblem."""
    return _look(file, file_bytes, limits, most_sheets=1)[0]


def find_sheets(file: BinaryIO, file_bytes: int, limits: UploadLimits) -> list[str]:
    """Check all that will be read and name every visible worksheet, of which there is one. Raises WorkbookProblem."""
    return _look(file, file_bytes, limits, most_sheets=MOST_SHEETS)


def _look(file: BinaryIO, file_bytes: int, limits: UploadLimits, *, most_sheets: int) -> list[str]:
    archive = read_archive(file, file_bytes, _INNER_LIMITS)
    if archive.problems:
        raise of_its_archive(archive.problems[0])
    parts = _parts(archive)
    for part in parts.values():
        if part.suffix in _XML_SUFFIXES:
            check_prolog(file, part)
    package = _Relations(folder="")
    package.read(file, _needed(parts, _PACKAGE_RELATIONS))
    workbook = PurePosixPath(package.first_of_kind("/officeDocument") or _WORKBOOK)
    sheets = _Sheets()
    sheets.read(file, _needed(parts, str(workbook)))
    relations = _Relations(folder=f"{workbook.parent}/")
    relations.read(file, _needed(parts, f"{workbook.parent}/_rels/{workbook.name}.rels"))
    visible = _visible(sheets, relations)[:most_sheets]
    strings = _SharedStrings(limits)
    # Those that the workbook names, and those under the usual name, which the library reads whatever is named.
    for shared in dict.fromkeys(((relations.first_of_kind("/sharedStrings") or "").casefold(), _SHARED_STRINGS)):
        if texts := parts.get(shared):
            strings.read(file, texts)
    cells = 0
    for _, path in visible:
        sheet = _Cells(limits, strings.count, cells)
        sheet.read(file, _needed(parts, path))
        cells = sheet.used
    return [name for name, _ in visible]


def _parts(archive: Archive) -> dict[str, Member]:
    parts = {member.path.casefold(): member for member in archive.members}
    if _CONTENT_TYPES not in parts and not any(path.startswith("xl/") for path in parts):
        raise mismatched()
    if any(path.endswith(("vbaproject.bin", "xl/workbook.bin")) for path in parts):
        raise with_macros()
    _needed(parts, _CONTENT_TYPES)
    return parts


def _needed(parts: dict[str, Member], path: str) -> Member:
    if part := parts.get(path.casefold()):
        return part
    raise corrupt(told("its part {part} is missing", part=path))


def _visible(sheets: "_Sheets", relations: "_Relations") -> list[tuple[str, str]]:
    found = [(name, *relations.found.get(relation, ("", ""))) for name, relation, visible in sheets.found if visible]
    worksheets = [(name, target) for name, kind, target in found if kind.endswith("/worksheet")]
    if not worksheets:
        raise corrupt(told("it has no visible worksheet"))
    return worksheets


def _refuse_second(name: str, seen: set[str]) -> None:
    """Which of two the library takes is its own affair: it could be the one that nobody looked at."""
    if name in seen:
        raise corrupt(told("it uses the name '{name}' twice", name=name[:64]))
    seen.add(name)


class _Sheets(PartReader):
    """(name, relation id, is visible) of every sheet, in order."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, bool]] = []
        self._names: set[str] = set()

    def element_started(self, name: str, attributes: dict[str, str], /) -> None:
        if name != "sheet":
            return
        if len(self.found) == MOST_SHEETS:
            raise too_large(told("it has more than {most} sheets", most=MOST_SHEETS))
        relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
        visible = attributes.get("state", "visible") == "visible"
        sheet = attributes.get("name", "")
        _refuse_second(sheet, self._names)
        self.found.append((sheet, relation, visible))


class _Relations(PartReader):
    """Relation id -> (type, path of the target); targets are relative to the folder of the part that names them."""

    def __init__(self, *, folder: str) -> None:
        self.found: dict[str, tuple[str, str]] = {}
        self._folder = folder
        self._ids: set[str] = set()

    def element_started(self, name: str, attributes: dict[str, str], /) -> None:
        if name != "Relationship":
            return
        _refuse_second(attributes.get("Id", ""), self._ids)
        if attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = target.removeprefix("/") if target.startswith("/") else self._folder + target
            self.found[attributes.get("Id", "")] = (attributes.get("Type", ""), path)

    def first_of_kind(self, kind: str) -> str | None:
        """The first target whose type ends like this."""
        return next((path for found, path in self.found.values() if found.endswith(kind)), None)


class _SharedStrings(PartReader):
    """Counts the shared strings and measures each."""

    def __init__(self, limits: UploadLimits) -> None:
        self.count = 0
        self._most = limits.cell_characters
        self._length = 0

    def element_started(self, name: str, _: dict[str, str], /) -> None:
        if name == "si":
            self.count += 1
            self._length = 0

    def text_found(self, text: str, /) -> None:
        self._length += len(text)
        if self._length > self._most:
            raise cell_too_long(told("shared text {number}", number=self.count), self._most)


class _Cells(PartReader):
    """Checks every cell of a sheet: its place, its order, its number, its shared text.

    Rows and cells must come in order, each place once; then what a library makes of them has one meaning.
    """

    def __init__(self, limits: UploadLimits, shared_strings: int, cells_before: int) -> None:
        self._limits = limits
        self._shared_strings = shared_strings
        self._cells_before = cells_before
        self.used = cells_before
        self._row, self._column = 0, 0
        self._first_row, self._leftmost, self._rightmost = 0, limits.columns, 0
        self._kind, self._element, self._value, self._length = "n", "", "", 0

    def element_started(self, name: str, attributes: dict[str, str], /) -> None:
        self._element = name
        if name == "row":
            self._start_row(attributes.get("r"))
        elif name == "c":
            self._kind, self._value, self._length = attributes.get("t", "n"), "", 0
            self._start_cell(attributes.get("r"))

    def text_found(self, text: str, /) -> None:
        if self._element in {"v", "t"}:
            self._length += len(text)
            if self._length > self._limits.cell_characters:
                place = told("cell {cell}", cell=self._place)
                raise cell_too_long(place, self._limits.cell_characters, row=self._row)
            self._value += text

    def element_ended(self, name: str, /) -> None:
        self._element = ""
        if name == "c" and (value := self._value.strip()):
            self._check_value(value)

    @property
    def _place(self) -> str:
        return f"{letters_of(self._column)}{self._row}"

    def _start_row(self, reference: str | None) -> None:
        if reference is not None and not _ROW_NUMBER.fullmatch(reference):
            raise corrupt(told("there is no row '{row}'", row=reference[:20]))
        number = self._row + 1 if reference is None else int(reference)
        if number <= self._row:
            raise corrupt(told("row {row} comes after row {last}", row=number, last=self._row), row=number)
        if number > self._limits.rows:
            reason = told("it has a row {row:,}, beyond the limit of {most:,}", row=number, most=self._limits.rows)
            raise too_large(reason, row=number)
        self._row, self._column = number, 0

    def _start_cell(self, reference: str | None) -> None:
        column = self._column + 1
        if reference is not None:
            match = _CELL_REFERENCE.fullmatch(reference)
            if not match or int(match[2]) != self._row:
                reason = told("row {row} holds a cell '{cell}'", row=self._row, cell=reference[:20])
                raise corrupt(reason, row=self._row)
            column = _number(match[1])
        if column <= self._column:
            reason = told("cell {cell} is out of order", cell=f"{letters_of(column)}{self._row}")
            raise corrupt(reason, row=self._row)
        if column > self._limits.columns:
            reason = told(
                "it has a column {column:,}, beyond the limit of {most}", column=column, most=self._limits.columns
            )
            raise too_large(reason, row=self._row)
        self._column = column
        self._widen()

    def _widen(self) -> None:
        self._first_row = self._first_row or self._row
        self._leftmost, self._rightmost = min(self._leftmost, self._column), max(self._rightmost, self._column)
        used = (self._row - self._first_row + 1) * (self._rightmost - self._leftmost + 1)
        self.used = self._cells_before + used
        if self.used > MOST_CELLS:
            raise too_large(told("its used range has more than {most:,} cells", most=MOST_CELLS), row=self._row)

    def _check_value(self, value: str) -> None:
        if self._kind == "s" and not (_INDEX.fullmatch(value) and int(value) < self._shared_strings):
            raise corrupt(told("cell {cell} names a shared text that is not there", cell=self._place), row=self._row)
        if self._kind == "n" and not _is_finite_number(value):
            raise cell_invalid(self._place, row=self._row)
        if self._kind == "d" and not _DATE.fullmatch(value):
            raise cell_invalid(self._place, row=self._row)


def _is_finite_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf") and "_" not in text
    except ValueError:
        return False


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def letters_of(number: int) -> str:
    """The name of a column, which counts from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
