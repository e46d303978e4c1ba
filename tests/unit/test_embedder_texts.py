"""Texts as models and servers can take them."""

import pytest

from adapters.embedding.texts import readable, sendable


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ｻｰﾎﾞ １", "サーボ 1"), ("모터\ud800 정지", "모터 정지"), ("", ""), ("x" * 9_000, "x" * 2_000)],
)
def test_a_text_is_made_readable(text: str, expected: str) -> None:
    assert readable(text, longest=2_000) == expected


def test_a_text_that_grows_when_normalised_is_cut_after_that() -> None:
    assert len(readable("\ufdfa" * 2_000, longest=2_000)) == 2_000


@pytest.mark.parametrize("text", ["", "  ", "\0", "\ud800", " \u3000 ", " \0 "])
def test_a_text_of_nothing_is_sent_as_a_full_stop(text: str) -> None:
    assert sendable(text, longest=10) == "."


def test_a_nul_is_sent_as_a_blank() -> None:
    assert sendable("모터\0정지", longest=10) == "모터 정지"
