"""Whatever is put together by the structure of a format and damaged, its reader answers in listed codes alone."""

import io
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.plc_files.archive import Member, read_archive
from adapters.plc_files.archive_problems import ArchiveProblem
from adapters.plc_files.ladder_archive import read_ladder_archive
from adapters.plc_files.unpack import unpack
from adapters.plc_files.upload_jobs import read_template_file
from builders.hostile import archives, damaged, workbooks
from builders.uploads import CONVEYOR, ladder_csv
from builders.workbooks import an_xls, logic_row
from domain.comment_file import parse_comments
from domain.ladder.listing import parse_listing
from domain.ladder.table import TableError
from domain.upload import SpooledFile, UploadLimits
from entrypoints.api.codes import FINDINGS

LIMITS = UploadLimits()
LISTINGS = st.sampled_from([ladder_csv(CONVEYOR).decode().encode(name) for name in ("utf-8", "utf-16", "cp949")])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "spooled"


@settings(max_examples=100, deadline=None)
@given(content=archives())
def test_an_archive_of_any_structure_gets_listed_codes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    found = read_ladder_archive(path, "ladder.zip", LIMITS)
    assert {finding.code for finding in found.findings} <= FINDINGS.keys()
    file = io.BytesIO(content)
    for member in read_archive(file, len(content), LIMITS).members:
        assert size_or_code(file, member) in {member.size_bytes, *FINDINGS}


@settings(max_examples=100, deadline=None)
@given(content=workbooks())
def test_a_workbook_of_any_structure_gets_listed_codes(path: Path, content: bytes) -> None:
    assert codes_of_template(path, content, "template.xlsx") <= FINDINGS.keys()


@settings(max_examples=100, deadline=None)
@given(content=damaged(an_xls([["Folder ID"], logic_row("0000_11")])))
def test_a_damaged_legacy_workbook_gets_listed_codes(path: Path, content: bytes) -> None:
    assert codes_of_template(path, content, "template.xls") <= FINDINGS.keys()


@settings(max_examples=100, deadline=None)
@given(content=LISTINGS.flatmap(damaged) | st.binary(max_size=200))
def test_a_damaged_csv_gets_listed_codes(content: bytes) -> None:
    assert {problem.code for problem in parse_comments(content)[1]} <= FINDINGS.keys()
    assert rungs_or_code(content) in {True, *FINDINGS}


def size_or_code(file: BinaryIO, member: Member) -> int | str:
    try:
        return sum(map(len, unpack(file, member)))
    except ArchiveProblem as problem:
        return problem.code


def rungs_or_code(content: bytes) -> bool | str:
    try:
        return bool(parse_listing(content).rungs)
    except TableError as error:
        return error.code


def codes_of_template(path: Path, content: bytes, name: str) -> set[str]:
    path.write_bytes(content)
    read = read_template_file(SpooledFile(name=name, path=path, size_bytes=len(content)), LIMITS)
    return {finding.code for finding in read.findings}
