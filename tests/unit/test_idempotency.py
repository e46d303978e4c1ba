"""A key names one request, and no two requests have one fingerprint."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequestError, ReusedKeyError
from domain.idempotency import IdempotencyKey, KeptAnswer, KeyedRequest, SentFile, keyed_request

KEY = IdempotencyKey(operation="register_program", name="k")
# Short and of few characters, those of JSON among them: what a careless fingerprint confuses comes up often.
WORDS = st.text('a",', max_size=2)
TEXTS = st.dictionaries(WORDS, WORDS.filter(bool), max_size=2)
FILES = st.dictionaries(WORDS, st.builds(SentFile, name=WORDS, sha256=WORDS), max_size=2)


@pytest.mark.parametrize("name", ["a", "~", '"7f3c-1"', "two words", "x" * 255])
def test_a_key_is_printable_ascii(name: str) -> None:
    assert IdempotencyKey(operation="register_program", name=name).name == name


@pytest.mark.parametrize("name", ["", "x" * 256, "키", "é", "a\tb", "a\n", "a\0", "\x7f"])
def test_anything_else_is_no_key(name: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        IdempotencyKey(operation="register_program", name=name)
    assert (refused.value.field, refused.value.code) == ("idempotency_key", "idempotency_key_invalid")


@given(st.tuples(WORDS, TEXTS, FILES), st.tuples(WORDS, TEXTS, FILES))
def test_two_requests_have_one_fingerprint_just_when_they_ask_for_the_same(
    one: tuple[str, dict[str, str], dict[str, SentFile]], other: tuple[str, dict[str, str], dict[str, SentFile]]
) -> None:
    prints = [keyed_request(KEY, target=target, texts=texts, files=files) for target, texts, files in (one, other)]
    assert (prints[0] == prints[1]) == (one == other)


@given(TEXTS, FILES)
def test_the_order_of_the_fields_makes_no_difference(texts: dict[str, str], files: dict[str, SentFile]) -> None:
    backwards = dict(reversed(texts.items())), dict(reversed(files.items()))
    assert keyed_request(KEY, texts=texts, files=files) == keyed_request(KEY, texts=backwards[0], files=backwards[1])


def test_a_field_that_a_later_release_adds_changes_no_fingerprint_while_it_is_blank() -> None:
    assert keyed_request(KEY, texts={"a": "b", "new": ""}, files={}) == keyed_request(KEY, texts={"a": "b"}, files={})


def test_the_fingerprint_of_a_release_is_that_of_the_next() -> None:
    """Or every repeat that comes across a deployment is a conflict."""
    request = keyed_request(
        KEY,
        texts={"pgm_name": "셀", "notes": ""},
        files={"PGM_LADDER_ZIP": SentFile(name="라인.zip", sha256="ab" * 32)},
    )
    assert request.fingerprint == "50db2c3b5cb938a42edb1d5ac87b49df30617c6187de47c4f67d478ebead1060"


def test_a_kept_answer_is_for_its_own_request_alone() -> None:
    request = KeyedRequest(key=KEY, fingerprint="ab")
    kept = KeptAnswer(request=request, pgm_id="PGM_1", answer=b"")
    kept.require_repeat(request)
    with pytest.raises(ReusedKeyError):
        kept.require_repeat(replace(request, fingerprint="cd"))
