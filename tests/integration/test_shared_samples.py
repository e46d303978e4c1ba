"""Real exports parse without loss, every rung balanced. The samples are no part of the project."""

import pytest

from builders.real_samples import SAMPLES, SHARED, real_ladders
from domain.comment_file import parse_comments
from domain.ladder.listing import parse_listing, render_listing

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of real exports is not on this machine")


def test_every_real_ladder_parses_without_losing_a_cell_and_all_its_rungs_balance() -> None:
    parsed = 0
    for name, content in real_ladders():
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
