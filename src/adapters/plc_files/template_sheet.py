"""From the rows of a sheet to the template: where its header is, which column is which, and what each row lacks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.findings import Finding, Section, Severity
from domain.inspection import same_name
from domain.normal_forms import compatible, composed
from domain.template import Logic, Template
from domain.told import Told, told
from domain.upload import UploadLimits

_FIELDS = {
    "Folder ID": "folder_id",
    "Folder Name": "folder_name",
    "Sub Folder Name": "sub_folder_name",
    "Logic ID": "logic_id",
    "Logic Name": "logic_name",
}
_TOLERATED = "PGM ID"
_HEADER_WITHIN_ROWS = 20
_NO_CHARACTER = re.compile(
    "[\0-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
_LINE_BREAKS = re.compile(r"[\t\r\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReading:
    """A template as far as it could be read, and every finding about it."""

    template: Template = field(default_factory=Template)
    findings: tuple[Finding, ...] = ()


def read_template_rows(rows: Iterable[Sequence[str]], *, file_name: str, limits: UploadLimits) -> TemplateReading:
    """Read the rows of a sheet, the first being row 1; cells are text already."""
    sheet = _Sheet(file_name=file_name, limits=limits)
    logics = tuple(sheet.logics(enumerate(rows, start=1)))
    return TemplateReading(template=Template(logics=logics), findings=tuple(sheet.findings))


class _Sheet:
    def __init__(self, *, file_name: str, limits: UploadLimits) -> None:
        self.findings: list[Finding] = []
        self._file_name = file_name
        self._limits = limits
        self._first_row_of: dict[str, int] = {}

    def logics(self, rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Logic]:
        columns = self._find_header(rows)
        if "Logic ID" not in columns:
            return
        found = False
        for row, cells in rows:
            texts = {name: _text(cells, column) for name, column in columns.items()}
            if any(texts.values()):
                found = True
                if self._is_sound(row, texts):
                    yield Logic(row=row, **{_FIELDS[name]: texts.get(name, "") for name in _FIELDS})
        if not found:
            self._find(
                None, "template_empty", told("the template has a header but no rows"), told("Add a row for each logic.")
            )

    def _find_header(self, rows: Iterator[tuple[int, Sequence[str]]]) -> dict[str, int]:
        """Advance to the header row and say at which index each column stands; columns in doubt are left out."""
        best: tuple[int, int, list[str]] = (0, 0, [])
        required = {_heading(name): name for name in (*self._limits.required_columns, "Logic ID")}
        for row, cells in rows:
            headings = [_heading(cell) for cell in cells]
            known = len(required.keys() & set(headings))
            if known > best[1]:
                best = (row, known, headings)
            if known * 2 > len(required) or row >= _HEADER_WITHIN_ROWS:
                break
        row, known, headings = best
        self._judge_header(row or 1, headings, required)
        if known * 2 <= len(required):
            return {}
        wanted = required | {_heading(name): name for name in _FIELDS}
        return {name: headings.index(head) for head, name in wanted.items() if headings.count(head) == 1}

    def _judge_header(self, row: int, headings: list[str], required: dict[str, str]) -> None:
        missing = [name for head, name in required.items() if head not in headings]
        double = [name for head, name in required.items() if headings.count(head) > 1]
        if missing or double:
            self._find(
                row,
                "header_invalid",
                told(
                    "the header row must name each of {names} once; {wrong}",
                    names=", ".join(required.values()),
                    wrong=_wrong_heads(missing, double),
                ),
                told("Correct the header row of the first sheet."),
            )
        known = required.keys() | {_heading(name) for name in (*_FIELDS, _TOLERATED)}
        if ignored := [head for head in headings if head and head not in known]:
            self._find(
                row,
                "column_ignored",
                told("columns that are not read: {names}", names=", ".join(f"'{head[:40]}'" for head in ignored[:10])),
                told("Nothing needs to be done."),
                severity=Severity.NOTICE,
            )

    def _is_sound(self, row: int, texts: dict[str, str]) -> bool:
        sound = True
        for name, text in texts.items():
            if len(text) > self._limits.cell_characters:
                sound = self._find(
                    row,
                    "cell_too_long",
                    told(
                        "'{column}' has more than {most:,} characters", column=name, most=self._limits.cell_characters
                    ),
                    told("Shorten it."),
                )
            elif match := _NO_CHARACTER.search(text):
                sound = self._find(
                    row,
                    "text_invalid",
                    told(
                        "'{column}' holds U+{code:04X}, which is no character of a text",
                        column=name,
                        code=ord(match.group()),
                    ),
                    told("Type the cell again."),
                )
        return self._has_id_of_its_own(row, texts["Logic ID"]) and sound

    def _has_id_of_its_own(self, row: int, logic_id: str) -> bool:
        if not logic_id:
            return self._find(
                row,
                "logic_id_blank",
                told("the Logic ID is blank"),
                told("Enter the name of the logic's CSV, or delete the row."),
            )
        first = self._first_row_of.setdefault(same_name(logic_id), row)
        if first == row:
            return True
        return self._find(
            row,
            "logic_id_duplicate",
            told("Logic ID '{logic_id}' stands in row {row} already", logic_id=logic_id[:80], row=first),
            told("Give each logic an ID of its own; upper and lower case do not make two."),
        )

    def _find(
        self, row: int | None, code: str, message: Told, hint: Told, *, severity: Severity = Severity.ERROR
    ) -> bool:
        """Note a finding; False, so that a check can end with it."""
        self.findings.append(
            Finding(
                section=Section.TEMPLATE,
                code=code,
                file=self._file_name,
                row=row,
                message=message,
                hint=hint,
                severity=severity,
            )
        )
        return False


def _wrong_heads(missing: list[str], double: list[str]) -> Told:
    if not double:
        return told("missing: {missing}", missing=", ".join(missing))
    if not missing:
        return told("twice: {double}", double=", ".join(double))
    return told("missing: {missing}; twice: {double}", missing=", ".join(missing), double=", ".join(double))


def _heading(cell: str) -> str:
    return " ".join(compatible(cell).split()).casefold()


def _text(cells: Sequence[str], column: int) -> str:
    """A cell as text: NFC, line breaks within it made blanks, no blanks around it."""
    cell = cells[column] if column < len(cells) else ""
    return composed(_LINE_BREAKS.sub(" ", cell)).strip()
