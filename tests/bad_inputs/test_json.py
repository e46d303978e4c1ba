"""Cases 96 to 106: JSON bodies, identifiers, paging and search texts."""

import json
import unicodedata

import pytest

from bad_inputs.target import MEBIBYTE, Sent, Target, question


def asked(**fields: object) -> Sent:
    """A search with these fields."""
    return question(json.dumps(fields))


def got(path: str) -> Sent:
    return Sent(method="GET", path=path)


@pytest.mark.parametrize("body", ["", " \n", "null", "7", "[]", '"query"', "true"])
def test_096_no_object(target: Target, body: str) -> None:
    target.refuses(96, question(body))


def test_097_nesting_without_end(target: Target) -> None:
    target.refuses(97, question("[" * 60_000))
    target.refuses(97, question('{"query":' * 33 + '"M1"' + "}" * 33))
    target.refuses(97, question('{"query":' + "[" * 100_000 + "]" * 100_000 + "}"), "json_too_large")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "-0", "1e400"])
def test_098_numbers_that_json_does_not_have(target: Target, number: str) -> None:
    target.refuses(98, question(f'{{"query": "M1", "limit": {number}}}'))


def test_099_an_integer_of_ten_thousand_digits(target: Target) -> None:
    target.refuses(99, question(f'{{"query": "M1", "limit": {"9" * 10_000}}}'))


def test_100_a_key_twice(target: Target) -> None:
    target.refuses(100, question('{"query": "M1", "query": "M2"}'))


@pytest.mark.parametrize("text", [r"\ud800", r"\u0000", r"\udfff\ud800", r"\uffff"])
def test_101_half_a_surrogate_pair(target: Target, text: str) -> None:
    target.refuses(101, question(f'{{"query": "M1{text}"}}'))


@pytest.mark.parametrize(
    "body",
    [
        '{"query": "M1"}'.encode("utf-16"),
        '{"query": "M1"}'.encode("utf-16-le"),
        b'\xef\xbb\xbf{"query": "M1"}',
        b'{"query": "M1",}',
        b'{"query": "M1"} // why',
        b'{"query": "M1"} {"query": "M1"}',
        b'{"query": "M\xff1"}',
        b"{'query': 'M1'}",
    ],
)
def test_102_what_is_nearly_json(target: Target, body: bytes) -> None:
    detail = target.refuses(102, question(body))["detail"]
    assert "line 1" in detail
    assert "column" in detail


def test_103_odd_and_many_keys(target: Target) -> None:
    target.refuses(103, question('{"query": "M1", "__proto__": {"limit": 1}}'), "field_unknown")
    target.refuses(103, question(json.dumps({"k" * MEBIBYTE: 1})), "json_too_large")
    target.refuses(103, question(json.dumps(dict.fromkeys(map(str, range(100_000)), 1))), "json_too_large")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/programs/not-an-id", "pgm_id"),
        ("/v1/programs/PGM_1'%20OR%201=1--", "pgm_id"),
        ("/v1/documents/x", "document_id"),
        ("/v1/programs?limit=1e9", "limit"),
        ("/v1/programs?limit=999999999999999999999", "limit"),
        ("/v1/programs?limit=-1", "limit"),
        ("/v1/programs?limit=0", "limit"),
        ("/v1/programs?limit=NaN", "limit"),
        ("/v1/programs?cursor=-1", "cursor"),
        ("/v1/programs?cursor=" + "a" * 501, "cursor"),
    ],
)
def test_104_identifiers_and_pages_that_are_none(target: Target, path: str, field: str) -> None:
    body = target.refuses(104, got(path))
    assert [finding["field"] for finding in body["findings"]] == [field]


@pytest.mark.parametrize("limit", [0, -1, 10**9, 1.5, "10", None])
def test_104_a_limit_that_is_none(target: Target, limit: object) -> None:
    body = target.refuses(104, asked(query="M1", limit=limit))
    assert [finding["field"] for finding in body["findings"]] == ["limit"]


@pytest.mark.parametrize("text", ["", " ", "\t\n", "x" * 2_001])
def test_105_search_texts_that_ask_nothing(target: Target, text: str) -> None:
    target.refuses(105, asked(query=text))


def test_105_a_search_text_of_a_megabyte(target: Target) -> None:
    target.refuses(105, asked(query="x" * MEBIBYTE), "json_too_large")


@pytest.mark.parametrize(
    "text",
    [
        *("🏭🔧", "the of and", "은 는 이 가", unicodedata.normalize("NFD", "도어 잠금")),
        *('pgm_id == "PGM_1" or 1 == 1', "') OR 1=1 --", "*", '"', "\\", "%_%", "a AND (b OR", "[[[", "${jndi:x}"),
        *("\u202e", "M1" * 900),
    ],
)
def test_105_odd_search_texts_get_sane_answers(target: Target, text: str) -> None:
    body = target.accepts(105, asked(query=text), 200)
    assert isinstance(body["hits"], list)


def test_106_colliding_keys_and_texts_like_expressions(target: Target) -> None:
    colliding = ("Aa", "BB")
    keys = ["".join(colliding[number >> bit & 1] for bit in range(11)) for number in range(2_000)]
    target.refuses(106, question(json.dumps(dict.fromkeys(keys, 1))), "field_unknown")
    target.refuses(106, question(json.dumps({"query": "(a+)+$" * (MEBIBYTE // 6)})), "json_too_large")
    target.accepts(106, asked(query="(a+)+$" * 330), 200)
    target.accepts(106, asked(query="a" * 1_999 + "!"), 200)
