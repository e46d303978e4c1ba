"""The security page names tests that are there, every requirement of its chapters, and the limits of the code."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.upload import MEBIBYTE, UploadLimits
from entrypoints.logs import configure_logging, quoted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
# How many requirements each section of ASVS 5.0.0 has.
SECTIONS = {
    "1.1": 2,
    "1.2": 10,
    "1.3": 12,
    "1.4": 3,
    "1.5": 3,
    "5.1": 1,
    "5.2": 6,
    "5.3": 3,
    "5.4": 3,
    "9.1": 3,
    "9.2": 4,
    "16.1": 1,
    "16.2": 5,
    "16.3": 4,
    "16.4": 3,
    "16.5": 4,
}


def _rows() -> list[tuple[str, str]]:
    """(number, last column) of each requirement."""
    return re.findall(r"^\| (\d+\.\d+\.\d+) \| [123] \| [^|]+ \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(\w+\.py)::(test_\w+)`", PAGE))
    assert named
    assert sorted(f"{file}::{test}" for file, test in named if not any(_defines(file, test))) == []


def _defines(file: str, test: str) -> Iterator[bool]:
    for path in (ROOT / "tests").rglob(file):
        yield re.search(rf"^\s*(async )?def {test}\(", path.read_text("utf-8"), flags=re.MULTILINE) is not None


def test_every_requirement_of_the_chapters_has_a_row_in_their_order() -> None:
    expected = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
    assert [number for number, _ in _rows()] == expected


def test_a_requirement_is_shown_by_a_test_or_its_row_says_why_not() -> None:
    reasons = ("not applicable: ", "not met", "partly: ")
    assert [number for number, shown in _rows() if "::" not in shown and not shown.startswith(reasons)] == []


def test_the_table_of_files_tells_the_limits_of_the_code() -> None:
    limits = UploadLimits()
    for told in (
        f"{limits.zip_bytes // MEBIBYTE} MiB",
        f"{limits.unpacked_bytes // MEBIBYTE} MiB",
        f"{limits.entries:,} entries",
        f"{limits.expansion_ratio} times",
        f"`PGM_LADDER_CSV_MAX_SIZE`, {limits.csv_bytes // MEBIBYTE} MiB",
        f"`PGM_TEMPLATE_FILE_MAX_SIZE`, {limits.template_bytes // MEBIBYTE} MiB",
        f"`PGM_COMMENT_FILE_MAX_SIZE`, {limits.comment_bytes // MEBIBYTE} MiB",
        f"{limits.rows:,} rows",
        f"{limits.columns} columns",
    ):
        assert told in PAGE


@pytest.mark.parametrize("value", ["two words", "a\nb", 'a"b', "a=b c=d", "\u2028", "\x1b[31m", "도어"])
def test_a_value_in_the_log_is_one_word_of_one_line(value: str) -> None:
    said = quoted(value)
    assert said.startswith('"')
    assert said.endswith('"')
    assert said.isprintable()


def test_times_of_the_log_are_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    root = logging.Logger("ladderbase-of-a-test")  # noqa: LOG001 - one that stands for the root alone
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging("INFO")
    root.handle(_a_record_of(at=0))
    assert stream.getvalue() == "1970-01-01T00:00:00.000Z INFO test: said\n"


def _a_record_of(*, at: float) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "test", "levelname": "INFO", "levelno": logging.INFO, "msg": "said"})
    record.created, record.msecs = at, 0.0
    return record
