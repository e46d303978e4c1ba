"""Real exports parse without loss, every rung balanced. The samples are no part of the project."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.comment_file import parse_comments
from domain.ladder.listing import parse_listing, render_listing

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES = SHARED / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of real exports is not on this machine")
# Label lists, comment lists, and two files that their author broke on purpose.
NO_LADDER = ("Global", "ProgPou1", "io", "comment", "strct_fail.zip/0002_11", "strct_fail.zip/0004_11")


def ladders() -> Iterator[tuple[str, bytes]]:
    for path in sorted(SAMPLES.rglob("*.csv")):
        yield path.name, path.read_bytes()
    for path in sorted([*SAMPLES.rglob("*.zip"), *SHARED.glob("retrieval/*.zip")]):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield f"{path.name}/{name}", archive.read(name)


def test_every_real_ladder_parses_without_losing_a_cell_and_all_its_rungs_balance() -> None:
    parsed = 0
    for name, content in ladders():
        if any(word in name for word in NO_LADDER):
            continue
        listing = parse_listing(content)
        assert tuple(listing.rows()) == listing.table.rows, name
        assert tuple(parse_listing(render_listing(listing)).rows()) == listing.table.rows, name
        assert all(rung.is_balanced for rung in listing.rungs), name
        parsed += 1
    assert parsed > 250


def test_real_comment_files_are_read() -> None:
    comments, problems = parse_comments((SHARED / "retrieval" / "comment.csv").read_bytes())
    assert (len(comments.by_device), problems) == (945, ())
    (japanese,) = SAMPLES.rglob("*device_comments.csv")
    comments, problems = parse_comments(japanese.read_bytes())
    assert len(comments.by_device) > 50
    assert problems == ()
