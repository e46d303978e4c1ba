"""Texts and file names from outside, and messages in the words of a caller."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.api.field_messages import field_problem
from entrypoints.api.texts import MAX_NAME_BYTES, InvalidTextError, display_name, plain_text, unstorable


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_a_display_name_is_never_a_path_and_always_storable(sent: str) -> None:
    try:
        name = display_name(sent)
    except InvalidTextError:
        return
    assert name.strip(". ")
    assert not {"/", "\\", "\0"} & set(name)
    assert unicodedata.is_normalized("NFC", name)
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert not unstorable(name)


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_a_plain_text_is_composed_and_storable(sent: str) -> None:
    try:
        text = plain_text(sent, lines=True)
    except InvalidTextError:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert text == text.strip()
    text.encode()


@pytest.mark.parametrize(
    ("message", "field", "said"),
    [
        ("Expected `int`, got `str` - at `$.limit`", "limit", "expected a whole number, got text"),
        ("Expected `int` <= 100 - at `$.limit`", "limit", "expected a whole number <= 100"),
        ("Expected `str | null`, got `array` - at `$.pgm_id`", "pgm_id", "expected text or null, got a list"),
        ("Expected `str` of length >= 1 - at `$.query`", "query", "expected text of length >= 1"),
        ("Object missing required field `query`", "query", "it is missing"),
        ("Object contains unknown field `querry`", "querry", "there is no such field"),
        ("Invalid enum value 'x' - at `$.mode`", "mode", "it is none of the known values"),
        ("Something else `bytes`", "body", "it cannot be used"),
    ],
)
def test_a_message_names_the_field_and_no_type_of_ours(message: str, field: str, said: str) -> None:
    problem = field_problem(message)
    assert (problem.field, problem.message) == (field, said)
