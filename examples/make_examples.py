"""Write the example uploads from the programs under source/, the same bytes each time."""  # noqa: INP001 - a script, no package

import argparse
import csv
import io
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

HERE = Path(__file__).resolve().parent
TEMPLATE_HEADER = ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")
COMMENT_HEADER = ("Device Name", "Comment")
LADDER_WIDTH = 7
BLANK_ROWS_AFTER_END = 30  # Excel keeps the rows that somebody once touched
WRITTEN = (2024, 11, 8, 9, 30, 0)  # an archive without the clock is the same archive tomorrow

MODULE_LINE = {"GX Works3": "Module Type Information:", "GX Works2": "PLC Information:"}
LADDER_HEADER = {
    "GX Works3": ("Step No.", "Line Statement", "Instruction", "I/O (Device)", "Blank", "P/I Statement", "Note"),
    "GX Works2": ("Step No.", "Line Statement", "Instruction", "I/O(Device)", "Blank", "PI Statement", "Note"),
}

Row = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Logic:
    """One row of the template and the source text of its ladder."""

    folder_id: int
    folder_name: str
    sub_folder_name: str
    logic_id: str
    logic_name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """What source/<name>/ holds. `comments` are pairs of device and text, blanks kept as the engineer padded them."""

    project: str
    tool: str
    cpu: str
    archive_folder: str
    logics: tuple[Logic, ...]
    comments: tuple[tuple[str, str], ...]


def main() -> None:
    """Write both example uploads below --out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: the committed one)")
    write_examples(parser.parse_args().out)


def write_examples(out: Path) -> None:
    """Write cell-line/ as GX Works exports it, and cell-line-resaved/ as it comes back from Excel on a Korean PC."""
    cell_line = read_program(HERE / "source" / "cell-line")
    _write(
        out / "cell-line",
        ladder_zip=_zip(
            (f"{logic.logic_id}.csv", _exported(ladder_rows(cell_line, logic), line_end="\r\n"))
            for logic in cell_line.logics
        ),
        template=_template(cell_line),
        # GX Works ends the lines of a ladder listing with CRLF, those of a comment file with LF.
        comments=_exported(comment_rows(cell_line), line_end="\n"),
    )
    palletizer = read_program(HERE / "source" / "palletizer")
    blank_rows = [()] * BLANK_ROWS_AFTER_END
    _write(
        out / "cell-line-resaved",
        ladder_zip=_zip(
            (
                f"{palletizer.archive_folder}/{logic.logic_id}.csv",
                _resaved([*ladder_rows(palletizer, logic), *blank_rows], width=LADDER_WIDTH),
            )
            for logic in palletizer.logics
        ),
        template=_template(palletizer),
        comments=_resaved(comment_rows(palletizer), width=len(COMMENT_HEADER)),
    )


def read_program(folder: Path) -> Program:
    """Read program.toml, comments.txt and the .il file of each logic."""
    facts = tomllib.loads((folder / "program.toml").read_text("utf-8"))
    lines = (folder / "comments.txt").read_text("utf-8").splitlines()
    return Program(
        project=facts["project"],
        tool=facts["tool"],
        cpu=facts["cpu"],
        archive_folder=facts.get("archive_folder", ""),
        logics=tuple(
            Logic(
                folder_id=folder_id,
                folder_name=folder_name,
                sub_folder_name=sub_folder_name,
                logic_id=logic_id,
                logic_name=logic_name,
                source=(folder / f"{logic_id}.il").read_text("utf-8"),
            )
            for folder_id, folder_name, sub_folder_name, logic_id, logic_name in facts["logics"]
        ),
        comments=tuple((device, text) for device, text in (line.split(maxsplit=1) for line in lines)),
    )


def ladder_rows(program: Program, logic: Logic) -> Iterator[Row]:
    """The rows of a listing, ragged as GX Works writes them: one field, two fields, then seven.

    A source line is `# statement` or `INSTRUCTION operand ... ; note`; blank lines only help the eye.
    """
    yield (program.project,)
    yield (MODULE_LINE[program.tool], program.cpu)
    yield LADDER_HEADER[program.tool]
    step = 0
    for line in filter(None, map(str.strip, logic.source.splitlines())):
        if line.startswith("# "):
            statement = line.removeprefix("# ")
            yield (str(step), statement, "", "", "", "", "")
            step += text_steps(statement, program.tool)
            continue
        code, _, note = line.partition(" ; ")
        instruction, *operands = code.split()
        yield (str(step), "", instruction, operands[0] if operands else "", "", "", "")
        step += instruction_steps(instruction, operands)
        for operand in operands[1:]:
            yield ("", "", "", operand, "", "", "")
        if note:
            yield ("", "", "", "", "", "", note)
            step += text_steps(note, program.tool)


def comment_rows(program: Program) -> Iterator[Row]:
    """The rows of a device-comment file."""
    yield (program.project,)
    yield COMMENT_HEADER
    yield from program.comments


def text_steps(text: str, tool: str) -> int:
    """What a statement or a note costs: 2 steps, and one for each character (GX Works3) or each two (GX Works2)."""
    return 2 + (len(text) if tool == "GX Works3" else (len(text) + 1) // 2)


def instruction_steps(instruction: str, operands: Sequence[str]) -> int:
    """What an instruction costs, after the tables of the Q and R series."""
    if comparison := re.fullmatch(r"(?:LD|AND|OR)(D?)(?:=|<>|<=|>=|<|>)", instruction):
        return 4 if comparison[1] else 3
    if instruction in {"LDP", "LDF", "ANDP", "ANDF", "ORP", "ORF", "PLS", "MOV", "MOVP", "INC", "INCP", "CALL"}:
        return 2
    if instruction in {"LD", "LDI", "AND", "ANI", "OR", "ORI", "SET", "RST"}:
        return 1
    if instruction == "OUT":
        return 4 if len(operands) > 1 else 1
    return 1 + len(operands)


def _exported(rows: Iterable[Row], *, line_end: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows(rows)
    return b"\xff\xfe" + text.getvalue().encode("utf-16-le")


def _resaved(rows: Iterable[Row], *, width: int) -> bytes:
    text = io.StringIO(newline="")
    padded = ([*row, *[""] * (width - len(row))] for row in rows)
    csv.writer(text, lineterminator="\n").writerows(padded)
    return text.getvalue().encode("cp949")


def _template(program: Program) -> bytes:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(TEMPLATE_HEADER)
    for logic in program.logics:
        sheet.append(
            (logic.folder_id, logic.folder_name, logic.sub_folder_name, logic.logic_id, logic.logic_name),
        )
    saved = io.BytesIO()
    workbook.save(saved)
    with zipfile.ZipFile(saved) as parts:
        return _zip((name, _without_clock(parts.read(name))) for name in parts.namelist())


def _without_clock(part: bytes) -> bytes:
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2024-11-08T09:30:00Z", part)


def _zip(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Pack as Windows does on a Korean PC: names in CP949 and no flag that says so."""
    packed = io.BytesIO()
    renamed: list[tuple[bytes, bytes]] = []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            raw = name.encode("cp949")
            # zipfile would write a Korean name as UTF-8: an ASCII one of the same length holds its place.
            place = raw if name.isascii() else b"%0*d" % (len(raw), len(renamed))
            renamed.append((place, raw))
            entry = zipfile.ZipInfo(place.decode("ascii"), WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            archive.writestr(entry, content)
    content = packed.getvalue()
    for place, raw in renamed:
        if place != raw:
            content = _renamed(content, place, raw)
    return content


def _renamed(archive: bytes, place: bytes, raw: bytes) -> bytes:
    # Once in the entry's own header, once in the central directory.
    if archive.count(place) != 2:  # noqa: PLR2004 - the two places above
        message = f"the name {place!r} does not stand exactly twice"
        raise ValueError(message)
    return archive.replace(place, raw)


def _write(folder: Path, *, ladder_zip: bytes, template: bytes, comments: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ladder.zip").write_bytes(ladder_zip)
    (folder / "template.xlsx").write_bytes(template)
    (folder / "comment.csv").write_bytes(comments)


if __name__ == "__main__":
    main()
