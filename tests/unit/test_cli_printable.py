"""What programs are called, a terminal shows and does not obey."""

import asyncio
import json
import unicodedata
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from builders.command_line import runner, upload
from builders.service import Service, a_service
from domain.comments import DeviceComments
from domain.template import Template
from entrypoints.cli.printable import printable, printable_json
from entrypoints.cli.problems import NoServiceError, RefusedError

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold]=cmd|calc!A1 모터 モーター"
VERBS = (
    ("ls",),
    ("status",),
    ("status", "PGM_1"),
    ("show", "PGM_1"),
    ("tree", "PGM_1"),
    ("search", "X0"),
    ("where-used", "X0"),
    ("tree", "PGM_1", "--json"),
    ("search", "X0", "--json"),
)


@given(st.text())
def test_no_control_character_is_left_in_a_line(text: str) -> None:
    assert [each for each in printable(text) if unicodedata.category(each) == "Cc"] == []


@given(st.text())
def test_a_text_without_orders_stays_as_it_is(text: str) -> None:
    once = printable(text)
    assert printable(once) == once


def test_orders_are_spelled_out_and_words_stay() -> None:
    assert printable(EVIL) == "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u202e[bold]=cmd|calc!A1 모터 モーター"
    assert printable("a\n\tb\r", lines=True) == "a\n\tb\\r"
    assert printable("a\n\tb\r") == "a\\n\\tb\\r"


@given(st.dictionaries(st.text(), st.text()))
def test_a_json_document_says_the_same(document: dict[str, str]) -> None:
    written = json.dumps(document, ensure_ascii=False, indent=2)
    shown = printable_json(written)
    assert json.loads(shown) == document
    assert [each for each in shown if unicodedata.category(each) == "Cc" and each != "\n"] == []


def test_what_a_service_says_of_a_failure_is_shown_too() -> None:
    assert "\x1b" not in NoServiceError(EVIL).format_message()
    assert "\x1b" not in RefusedError({"title": EVIL, "detail": EVIL}).format_message()


async def called_as_nothing_should_be(tmp_path: Path) -> Service:
    """One whose folders, logics and comments are called as nothing should be."""
    service = await a_service(tmp_path, hold_events_for=timedelta(minutes=1))
    logics = tuple(
        replace(each, folder_name=EVIL, sub_folder_name=EVIL, logic_name=EVIL)
        for each in service.inspected.template.logics
    )
    service.upload_reader.inspected = replace(
        service.inspected,
        template=Template(logics=logics),
        comments=DeviceComments(by_device={"X0": EVIL, "M10": EVIL}),
    )
    return service


def test_no_command_lets_a_name_give_orders(tmp_path: Path) -> None:
    service = asyncio.run(called_as_nothing_should_be(tmp_path))
    run = runner(service)
    outputs = [upload(run, service), *(run(*words) for words in VERBS)]
    assert [result.exit_code for result in outputs] == [0] * len(outputs), [result.output for result in outputs]
    assert any("\\x1b]0;owned" in result.output for result in outputs)
    for result in outputs:
        assert [each for each in result.output if unicodedata.category(each) == "Cc" and each != "\n"] == []
