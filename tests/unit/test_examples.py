"""The shipped examples: made by their generator, and sound as ladder programs."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
UPLOADS = ("cell-line", "cell-line-resaved")
FILES = ("ladder.zip", "template.xlsx", "comment.csv")

Instruction = tuple[str, ...]  # mnemonic, operands

UNCONDITIONAL = re.compile(r"[PI]\d+|FEND|END|S?RET|IRET|NEXT|DI|EI|NOP|MCR")
CONDITION = re.compile(
    r"(LD|AND|OR)(P|F|I|PI|FI|(D|E|ED|\$|DT|TM)?(=|<>|<=|>=|<|>)(_U)?)?"
    r"|ANI|ANB|ORB|INV|MPS|MRD|MPP|MEP|MEF|EGP|EGF"
)
BIT_DEVICE = re.compile(r"(?:K(\d)(?=M))?([MT])(\d+)")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("generated"))


def test_the_generator_reproduces_the_committed_files(generated: Path) -> None:
    for upload in UPLOADS:
        for name in FILES:
            assert substance(generated / upload / name) == substance(EXAMPLES / upload / name), f"{upload}/{name}"


def test_two_runs_write_the_same_bytes(generated: Path, tmp_path: Path) -> None:
    again = generate(tmp_path)
    for upload in UPLOADS:
        for name in FILES:
            assert (again / upload / name).read_bytes() == (generated / upload / name).read_bytes(), f"{upload}/{name}"


@pytest.mark.parametrize("upload", UPLOADS)
def test_every_rung_is_balanced_and_every_listing_ends_with_end(upload: str) -> None:
    for name, rows in listings(upload):
        instructions = instructions_of(rows)
        assert instructions[-1] == ("END",), name
        found = rungs(instructions)
        assert len(found) >= 7, name
        for rung in found:
            assert is_balanced(rung), (name, rung)


@pytest.mark.parametrize("upload", UPLOADS)
def test_steps_never_decrease(upload: str) -> None:
    for name, rows in listings(upload):
        steps = [int(row[0]) for row in rows[3:] if row and row[0]]
        assert steps == sorted(steps), name


@pytest.mark.parametrize("upload", UPLOADS)
def test_the_template_names_exactly_the_listings_of_the_archive(upload: str) -> None:
    sheet = openpyxl.load_workbook(EXAMPLES / upload / "template.xlsx").worksheets[0]
    header, *rows = sheet.iter_rows(values_only=True)
    assert header == ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")
    assert [f"{row[3]}.csv" for row in rows] == [name.rpartition("/")[2] for name, _ in listings(upload)]


@pytest.mark.parametrize("upload", UPLOADS)
def test_relays_and_timers_that_are_read_are_driven_somewhere(upload: str) -> None:
    read: set[str] = set()
    driven: set[str] = set()
    for _, rows in listings(upload):
        for instruction in instructions_of(rows):
            target = read if CONDITION.fullmatch(instruction[0]) else driven
            target.update(bits_in(instruction[1:]))
    assert read - driven == set()


@pytest.mark.parametrize("upload", UPLOADS)
def test_nearly_every_device_has_a_comment_of_at_most_32_characters(upload: str) -> None:
    comments = dict(comment_rows(upload)[2:])
    assert max(map(len, comments.values())) <= 32
    used = {
        operand
        for _, rows in listings(upload)
        for instruction in instructions_of(rows)
        for operand in instruction[1:]
        if re.fullmatch(r"(?:[XY][0-9A-F]+|(?:M|T|D|ZR|SM|SD)\d+)(?:\.[0-9A-F])?", operand)
    }
    assert len(used & comments.keys()) >= 0.9 * len(used), sorted(used - comments.keys())


def test_the_exported_listing_is_ragged_and_quoted_utf_16() -> None:
    with zipfile.ZipFile(EXAMPLES / "cell-line" / "ladder.zip") as archive:
        content = archive.read("0000_11.csv")
    assert content.startswith(b"\xff\xfe")
    lines = content.decode("utf-16").split("\r\n")
    assert lines[:2] == ['"CELL_LINE3_241108"', '"Module Type Information:"\t"RCPU R08"']
    assert {line.count("\t") for line in lines[2:-1]} == {6}
    comments = (EXAMPLES / "cell-line" / "comment.csv").read_bytes().decode("utf-16")
    assert "\r" not in comments


def test_the_resaved_archive_has_korean_names_in_cp949_and_blank_rows_after_end() -> None:
    with zipfile.ZipFile(EXAMPLES / "cell-line-resaved" / "ladder.zip") as archive:
        entry = archive.infolist()[0]
        content = archive.read(entry)
    assert (entry.flag_bits & 0x800, entry.create_system) == (0, 0)
    assert entry.filename.encode("cp437").decode("cp949") == "파레타이저 백업/0000_21.csv"
    assert content.endswith(b"END,,,,\n" + b",,,,,,\n" * 30)
    assert b'"' not in content
    assert b"\r" not in content


def generate(out: Path) -> Path:
    subprocess.run([sys.executable, str(EXAMPLES / "make_examples.py"), "--out", str(out)], check=True, timeout=60)
    return out


def substance(path: Path) -> object:
    """Every byte; of an archive each entry's header and content, for zlib and zlib-ng compress differently."""
    if path.suffix == ".csv":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return [
            (e.orig_filename, e.date_time, e.flag_bits, e.create_system, e.compress_type, archive.read(e))
            for e in archive.infolist()
        ]


def listings(upload: str) -> Iterator[tuple[str, list[list[str]]]]:
    with zipfile.ZipFile(EXAMPLES / upload / "ladder.zip") as archive:
        for entry in archive.infolist():
            yield entry.filename, cells(archive.read(entry))


def comment_rows(upload: str) -> list[list[str]]:
    return cells((EXAMPLES / upload / "comment.csv").read_bytes())


def cells(content: bytes) -> list[list[str]]:
    exported = content.startswith(b"\xff\xfe")
    text = content.decode("utf-16" if exported else "cp949")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if exported else ","))


def instructions_of(rows: list[list[str]]) -> list[Instruction]:
    instructions: list[Instruction] = []
    for row in rows[3:]:
        if row[2]:
            instructions.append((row[2], row[3]) if row[3] else (row[2],))
        elif row[3]:
            instructions[-1] += (row[3],)
    return instructions


def rungs(instructions: list[Instruction]) -> list[list[Instruction]]:
    """A rung starts at an LD* that follows no condition, and at every unconditional instruction."""
    found: list[list[Instruction]] = []
    previous = ""
    for instruction in instructions:
        mnemonic = instruction[0]
        opens_block = mnemonic.startswith("LD") and CONDITION.fullmatch(mnemonic)
        if UNCONDITIONAL.fullmatch(mnemonic) or (opens_block and not CONDITION.fullmatch(previous)):
            found.append([])
        found[-1].append(instruction)
        previous = mnemonic
    return found


def is_balanced(rung: list[Instruction]) -> bool:
    mnemonics = [instruction[0] for instruction in rung]
    if UNCONDITIONAL.fullmatch(mnemonics[0]):
        return len(mnemonics) == 1
    blocks = sum(m.startswith("LD") for m in mnemonics) - mnemonics.count("ANB") - mnemonics.count("ORB")
    ends_with_output = not CONDITION.fullmatch(mnemonics[-1])
    return blocks == 1 and mnemonics.count("MPS") == mnemonics.count("MPP") and ends_with_output


def bits_in(operands: tuple[str, ...]) -> Iterator[str]:
    for operand in operands:
        if match := BIT_DEVICE.fullmatch(operand):
            digits, kind, first = match.groups()
            width = 4 * int(digits) if digits else 1
            yield from (f"{kind}{number}" for number in range(int(first), int(first) + width))
