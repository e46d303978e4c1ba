"""A good small file that breaks off anywhere is read as what is left of it, or refused under a listed code."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.plc_files.upload_jobs import read_template_file, read_zip_directory
from builders.archives import a_zip_of
from builders.uploads import CONVEYOR, DOOR, ladder_csv
from builders.workbooks import a_template
from domain.comment_file import parse_comments
from domain.ladder.listing import Listing, parse_listing, render_listing
from domain.ladder.table import TableError, decode_table, render_table
from domain.upload import SpooledFile, UploadLimits
from entrypoints.api.codes import FINDINGS, REQUESTS
from entrypoints.api.refusals import InvalidFieldsError, RefusedRequestError
from entrypoints.api.strict_json import parse_object

LIMITS = UploadLimits()
MOST_BYTES = 4096
LISTING = ladder_csv(CONVEYOR).decode()
COMMENTS = '"line"\n"Device Name"\t"Comment"\n"X1"\t"도어, ""스위치"""\n"Y5"\t"도어 잠금"\n'
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp949"]


def cuts(content: bytes) -> Iterator[bytes]:
    assert len(content) < MOST_BYTES
    return (content[:length] for length in range(len(content)))


def listing_or_code(content: bytes) -> Listing | str:
    try:
        return parse_listing(content)
    except TableError as error:
        return error.code


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_listing_that_breaks_off_is_read_again_equal_or_refused(encoding: str) -> None:
    outcomes = list(map(listing_or_code, cuts(LISTING.encode(encoding))))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Listing)]
    assert {outcome for outcome in outcomes if isinstance(outcome, str)} <= FINDINGS.keys()
    assert len(accepted) > 10
    for listing in accepted:
        assert list(parse_listing(render_listing(listing)).rows()) == list(listing.rows())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_comments_that_break_off_are_read_again_equal_or_refused(encoding: str) -> None:
    accepted = 0
    for cut in cuts(COMMENTS.encode(encoding)):
        comments, problems = parse_comments(cut)
        assert {problem.code for problem in problems} <= FINDINGS.keys()
        if not problems:
            accepted += 1
            assert parse_comments(render_table(decode_table(cut))) == (comments, ())
    assert accepted


def test_a_template_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spooled"
    for cut in cuts(a_template("0000_11")):
        path.write_bytes(cut)
        read = read_template_file(SpooledFile(name="template.xlsx", path=path, size_bytes=len(cut)), LIMITS)
        assert {finding.code for finding in read.findings} <= {"xlsx_corrupt", "type_mismatch", "file_empty"}
        assert read.findings


def test_an_archive_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spooled"
    for cut in cuts(a_zip_of({"0000_11.csv": ladder_csv(CONVEYOR), "도어.csv": ladder_csv(DOOR)})):
        path.write_bytes(cut)
        read = read_zip_directory(SpooledFile(name="ladder.zip", path=path, size_bytes=len(cut)), LIMITS)
        assert {finding.code for finding in read.findings} <= {"zip_corrupt", "type_mismatch", "file_empty"}
        assert read.findings


def test_json_that_breaks_off_is_refused() -> None:
    for cut in cuts(json.dumps({"query": "도어 M1", "limit": 10, "logic_id": "0000_11"}, ensure_ascii=False).encode()):
        with pytest.raises((RefusedRequestError, InvalidFieldsError)) as refused:
            parse_object(cut)
        assert isinstance(refused.value, RefusedRequestError)
        assert refused.value.code in REQUESTS
