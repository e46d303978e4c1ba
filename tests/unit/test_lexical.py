"""Tokens of the lexical lane: devices whole, words lower case, Hangul, Kana and Kanji as bigrams."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.lexical import query_devices, query_tokens, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M1234", ["m1234"]),
        ("Ｍ１２３４", ["m1234"]),
        ("M1234를", ["m1234", "를"]),
        ("D500.F", ["d500bitf", "d500"]),
        ("K4M0", ["k4m0", "m0"]),
        ("D100Z0", ["d100z0", "d100", "z0"]),
        ("X000", ["x0"]),
        ("U2A\\G31", ["u2ag31"]),
        ("H10D1 K1500", ["h10d1", "k1500"]),
        ("컨베이어 정지", ["컨베", "베이", "이어", "정지"]),
        ("非常停止", ["非常", "常停", "停止"]),
        ("コンベア", ["コン", "ンベ", "ベア"]),
        ("Dừng khẩn cấp", ["dừng", "khẩn", "cấp"]),
        ("НАСОС M10", ["насос", "m10"]),
        ("D100V0", ["d100v0", "d100", "v0"]),
        ("SET Conveyor #1", ["set", "conveyor", "1"]),
        ("", []),
        ("🙂 !? --", []),
    ],
)
def test_text_becomes_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("query", "devices"),
    [
        ("where is Y173 written", ("y173",)),
        ("XFC の使用箇所", ("xfc",)),
        ("M132 컨베이어 조건", ("m132",)),
        ("D500.F 어디서", ("d500bitf",)),
        ("K4M0 and X0", ("m0", "x0")),
        ("reject products with a bad label", ()),
        ("faded bee wade", ()),
        ("컨베이어 정지", ()),
    ],
)
def test_a_query_names_devices_or_none(query: str, devices: tuple[str, ...]) -> None:
    assert query_devices(query) == devices


def test_stop_words_do_not_count_unless_nothing_else_is_asked() -> None:
    assert query_tokens("where is the conveyor") == ["conveyor"]
    assert query_tokens("where is it") == ["where", "is", "it"]


@given(st.text(max_size=60))
@example("\ufada\ufa6e")
def test_a_token_holds_nothing_that_an_analyzer_splits_at(text: str) -> None:
    assert all(re.fullmatch(r"\w+", token) and token == token.lower() for token in tokens(text))


@given(st.text(max_size=60))
def test_every_device_of_a_query_is_among_its_tokens(text: str) -> None:
    assert set(query_devices(text)) <= set(tokens(text))
