"""Small, real uploads: a ZIP of ladder CSVs, a template, and what an inspection finds in them."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import openpyxl

from domain.comments import DeviceComments
from domain.ladder.listing import parse_listing
from domain.template import Logic, Template
from domain.upload import InspectedUpload, LadderMember, SpooledFile, Upload

HEADER = (
    "line,,,,,,\nModule Type Information:,RCPU R08\n"
    "Step No.,Line Statement,Instruction,I/O (Device),Blank,P/I Statement,Note\n"
)
CONVEYOR = "0,[Title]컨베이어 정지,,,,,\n8,,LD,X0,,,\n9,,OUT,M10,,,\n10,,LD,M10,,,\n11,,SET,Y0,,,\n12,,END,,,,\n"
DOOR = "0,[Title]도어 잠금,,,,,\n8,,LDI,X1,,,\n9,,RST,Y5,,,\n10,,END,,,,\n"


COLUMNS = ("Folder ID", "Folder Name", "Sub Folder Name", "Logic ID", "Logic Name")


def ladder_csv(body: str) -> bytes:
    """A listing as people re-save it."""
    return (HEADER + body).encode()


def archive_of(bodies: Mapping[str, str]) -> bytes:
    """A ladder ZIP of these logics (logic id -> listing body)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for logic_id, body in bodies.items():
            archive.writestr(f"{logic_id}.csv", ladder_csv(body))
    return out.getvalue()


def template_of(rows: Iterable[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> bytes:
    """A template workbook with these rows."""
    book = openpyxl.Workbook()
    for row in (columns, *rows):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    book.close()
    return out.getvalue()


def an_upload(folder: Path, bodies: Mapping[str, str] | None = None) -> tuple[Upload, InspectedUpload]:
    """An upload of these logics (logic id -> listing body) on disk, and its inspection."""
    contents = {
        logic_id: ladder_csv(body) for logic_id, body in (bodies or {"0000_11": CONVEYOR, "0001_11": DOOR}).items()
    }
    archive = folder / "ladder.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for logic_id, content in contents.items():
            target.writestr(zipfile.ZipInfo(f"{logic_id}.csv"), content)  # of no date: the same bytes at any time
    template = folder / "template.xlsx"
    template.write_bytes(b"a workbook that nobody opens here")
    upload = Upload(ladder_zip=_spooled(archive), template=_spooled(template))
    inspected = InspectedUpload(
        template=Template(logics=tuple(_logic(row, logic_id) for row, logic_id in enumerate(contents, start=2))),
        comments=DeviceComments(by_device={"X0": "정지 버튼", "X1": "도어 스위치"}),
        ladders=tuple(_member(logic_id, content) for logic_id, content in contents.items()),
        findings=(),
    )
    return upload, inspected


def _spooled(path: Path) -> SpooledFile:
    return SpooledFile(name=path.name, path=path, size_bytes=path.stat().st_size)


def _logic(row: int, logic_id: str) -> Logic:
    return Logic(
        row=row, folder_id="0", folder_name="이송부", sub_folder_name="", logic_id=logic_id, logic_name=f"L{logic_id}"
    )


def _member(logic_id: str, content: bytes) -> LadderMember:
    return LadderMember(
        member=f"{logic_id}.csv",
        document_name=f"{logic_id}.csv",
        logic_id=logic_id,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=parse_listing(content).facts(),
    )
