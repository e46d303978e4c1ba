"""Programs to be uploaded: as many ladder CSVs as one asks for, as GX Works3 writes them, equal for equal arguments."""

import csv
import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import openpyxl

_HEADER = ("Step No.", "Line Statement", "Instruction", "I/O (Device)", "Blank", "P/I Statement", "Note")
_COLUMNS = ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")
_MEAN_ROWS = 215
_COMMENTS_PER_CSV = 12
_CSVS_PER_FOLDER = 43
_PLACES = "투입 컨베이어,배출 리프트,용접 지그,검사 카메라,이송 로봇,적재 스토퍼,도포 노즐,체결 너트러너".split(",")
_ACTIONS = "상승 완료,하강 지령,전진 확인,후진 이상,원점 복귀,자동 조건,수동 조작,인터록 해제,제품 감지".split(",")
_ENGLISH = "clamp closed,axis at home,cycle stop,part present,guard open,vacuum reached,torque reached".split(",")
_CONDITIONS = ("AND", "ANI", "OR", "ORI")


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpload:
    """The CSVs by their names, and the three files that are sent."""

    csvs: tuple[tuple[str, bytes], ...]
    archive: bytes
    template: bytes
    comments: bytes

    @property
    def files(self) -> dict[str, tuple[str, bytes]]:
        """The files as a form."""
        return {
            "pgm_ladder_zip_file": ("ladder.zip", self.archive),
            "pgm_template_file": ("template.xlsx", self.template),
            "pgm_comment_file": ("comment.csv", self.comments),
        }


def make_upload(csvs: int, *, seed: int = 1, changed: float = 0.0) -> MadeUpload:
    """UTF-16 CSVs with 215 rows on average; `changed` is the share of rungs that have another title than without."""
    names = [f"{number % 100:04}_{number // 100:02}" for number in range(csvs)]
    devices = [_commented_devices(seed, number) for number in range(csvs)]
    contents = tuple(
        (f"{name}.csv", _encoded(_listing(name, seed, number, devices[number], changed)))
        for number, name in enumerate(names)
    )
    comments = [("COMMENT",), ("Device Name", "Comment"), *(pair for some in devices for pair in some.items())]
    return MadeUpload(
        csvs=contents,
        archive=_zipped(contents, zipfile.ZIP_DEFLATED),
        template=_template(names),
        comments=_encoded(comments),
    )


def make_large_upload(size_bytes: int, *, csv_bytes: int = 4_500_000) -> MadeUpload:
    """An archive of about that size: stored, not deflated, its CSVs near the limit of one, all with the same rows."""
    devices = _commented_devices(1, 0)
    rows: list[tuple[str, ...]] = list(_preamble("large"))
    rows += islice(_rungs(random.Random("large"), devices, random.Random(), 0.0), csv_bytes // 64)
    content = _encoded([*rows, ("900000", "", "END", "", "", "", "")])
    names = [f"L{number:03}" for number in range(size_bytes // len(content))]
    contents = tuple((f"{name}.csv", content) for name in names)
    return MadeUpload(
        csvs=contents,
        archive=_zipped(contents, zipfile.ZIP_STORED),
        template=_template(names),
        comments=_encoded([("COMMENT",), ("Device Name", "Comment"), *devices.items()]),
    )


def _commented_devices(seed: int, number: int) -> dict[str, str]:
    chance = random.Random(f"{seed}/devices/{number}")
    first = number * _COMMENTS_PER_CSV
    return {
        (f"X{place:X}" if place % 2 else f"M{place}"): _phrase(chance)
        for place in range(first, first + _COMMENTS_PER_CSV)
    }


def _phrase(chance: random.Random) -> str:
    spoken = (
        chance.choice(_ENGLISH) if chance.random() < 0.25 else f"{chance.choice(_PLACES)} {chance.choice(_ACTIONS)}"
    )
    return f"{spoken} #{chance.randrange(1, 40)}"


def _listing(name: str, seed: int, number: int, devices: dict[str, str], changed: float) -> list[tuple[str, ...]]:
    chance = random.Random(f"{seed}/rungs/{number}")
    changes = random.Random(f"{seed}/changes/{number}")
    count = int(min(600, max(60, chance.gauss(_MEAN_ROWS, 80))))
    rows = list(islice(_rungs(chance, devices, changes, changed), count))
    return [*_preamble(name), *rows, (str(count * 2), "", "END", "", "", "", "")]


def _preamble(name: str) -> tuple[tuple[str, ...], ...]:
    return (name,), ("Module Type Information:", "RCPU R08"), _HEADER, ("0", f"[Title]{name}", "", "", "", "", "")


def _rungs(
    chance: random.Random, devices: dict[str, str], changes: random.Random, changed: float
) -> Iterator[tuple[str, ...]]:
    """Rows of one rung after the other, without end."""
    known = list(devices)
    step = 0

    def row(mnemonic: str, operand: str) -> tuple[str, ...]:
        nonlocal step
        step += 1
        return str(step), "", mnemonic, operand, "", "", ""

    while True:
        title = _phrase(chance) if chance.random() < 0.4 else ""
        if changes.random() < changed:
            title = f"{title or _phrase(changes)} ({changes.randrange(10**6)})"
        if title:
            yield str(step), title, "", "", "", "", ""
        yield row("LD", chance.choice(known))
        for _ in range(chance.randrange(4)):
            yield row(chance.choice(_CONDITIONS), chance.choice(known))
        if chance.random() < 0.6:
            yield row("OUT", chance.choice(known))
        else:
            yield row("MOV", f"K{chance.randrange(10_000)}")
            yield "", "", "", f"D{chance.randrange(12_000)}", "", "", ""


def _encoded(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return b"\xff\xfe" + out.getvalue().encode("utf-16-le")


def _zipped(contents: tuple[tuple[str, bytes], ...], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in contents:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return out.getvalue()


def _template(names: list[str]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(_COLUMNS)
    for number, name in enumerate(names):
        folder = number // _CSVS_PER_FOLDER
        line, cell = f"F{folder:02}", f"{_PLACES[folder % len(_PLACES)]} {folder}"
        sheet.append((line, f"Line {folder // 4}", cell, name, f"{_ACTIONS[number % len(_ACTIONS)]} {number}"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
