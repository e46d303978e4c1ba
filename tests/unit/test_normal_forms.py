"""The normal forms are the interpreter's own, and no text makes them slow."""

import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.normal_forms import compatible, composed
from entrypoints.api.texts import plain_text

# Marks of many classes, those that are letters or starters until they are taken apart, and what marks sit on.
MARKS = "\u0301\u0323\u0345\u0344\u0308\u3099\u0f71\u0f72\u0f73\u0f75\u0f81\uff9e\uff9f\U0001d165\u20d0\u0334"
BASES = "aé가\u1100\u1161\u11a8かﾊ─·😀 \n\ufdfa\u1fbd"
RUNS = st.builds(str.__mul__, st.text(MARKS, min_size=1, max_size=4), st.integers(1, 40))
TEXTS = st.lists(RUNS | st.text(BASES, max_size=3) | st.text(max_size=5), max_size=8).map("".join)


@given(TEXTS)
def test_the_composed_form_is_nfc(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


@given(TEXTS)
def test_the_compatible_form_is_nfkc(text: str) -> None:
    assert compatible(text) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("form", [composed, compatible, plain_text])
@pytest.mark.parametrize(
    "marks",
    ["\u0301" * 64_000 + "\u0323" * 64_000, "\u0301\u0323" * 64_000, "\u0f73" * 64_000, "\u0301\uff9e" * 64_000],
    ids=["two runs", "by turns", "spelled out", "letters"],
)
def test_marks_upon_marks_take_no_time(form: Callable[[str], str], marks: str) -> None:
    """Ten seconds and more where they are sorted by insertion."""
    started_s = time.process_time()
    assert form("a" + marks)
    assert time.process_time() - started_s < 3.0
