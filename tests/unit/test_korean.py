"""Every sentence that the source tells has a Korean one with the same values in it, and no other."""

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from domain.told import Told, told
from entrypoints.api.codes import FAILURES, FINDINGS, REQUESTS
from entrypoints.api.korean import files, requests, titles
from entrypoints.api.languages import Language, failure_title, in_language, title_in

SOURCE = Path(__file__).parents[2] / "src"
TRANSLATED = {**files.SENTENCES, **requests.SENTENCES}
HANGUL = re.compile("[가-힣]")
# Names of fields, letters and codes are the same in both languages.
WITHOUT_A_WORD = {"null", "{place}: {message}", "UTF-8, cp949 or cp932"}
# Words of our inside: libraries, files, statements, paths. Those of a caller's own files (ZIP, CSV, XML) are none.
INSIDE = re.compile(
    r"Traceback|\.py\b|site-packages|SELECT |INSERT |sqlalchemy|asyncpg|litestar|msgspec|uvicorn|h11|calamine|expat"
    r"|openpyxl|pandas|zlib|struct\.|codec|postgres|redis|valkey|milvus|minio|/(?:home|tmp|usr|work)/|password=|secret",
    re.IGNORECASE,
)


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "told":
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node


def _template(call: ast.Call) -> str:
    (template,) = call.args
    assert isinstance(template, ast.Constant), "a template is written out where it is told"
    assert isinstance(template.value, str)
    return template.value


def _placeholders(template: str) -> set[str]:
    return {f"{name}!{conversion}:{form}" for _, name, form, conversion in Formatter().parse(template) if name}


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


TOLD = {_template(call) for _, call in _calls()}


def test_every_sentence_in_the_source_has_a_korean_one() -> None:
    assert len(TOLD) > 200
    assert TOLD - TRANSLATED.keys() == set()


def test_every_korean_sentence_is_told_somewhere() -> None:
    assert TRANSLATED.keys() - TOLD == set()


def test_no_sentence_is_translated_twice() -> None:
    of_files = (
        *(files.ARCHIVES, files.WORKBOOKS, files.TEMPLATES, files.CSVS, files.WHOLE_FILES),
        *(files.DEVICES, files.FURTHER),
    )
    parts = (*of_files, requests.BODIES, requests.FIELDS, requests.ANSWERS)
    assert sum(map(len, parts)) == len(TRANSLATED)


def test_every_sentence_is_told_with_the_values_that_it_names() -> None:
    wrong = [place for place, call in _calls() if {keyword.arg for keyword in call.keywords} != _names(_template(call))]
    assert wrong == []


def test_a_korean_sentence_says_every_value_as_the_english_one_does() -> None:
    assert [english for english, korean in TRANSLATED.items() if _placeholders(english) != _placeholders(korean)] == []


def test_every_korean_sentence_is_korean() -> None:
    assert [
        text for english, text in TRANSLATED.items() if english not in WITHOUT_A_WORD and not HANGUL.search(text)
    ] == []


@pytest.mark.parametrize(
    ("english", "korean"),
    [(REQUESTS, titles.REQUESTS), (FINDINGS, titles.FINDINGS), (FAILURES, titles.FAILURES)],
    ids=["requests", "findings", "failures"],
)
def test_every_code_has_a_title_in_both_languages(english: dict[str, Any], korean: dict[str, str]) -> None:
    assert list(english) == list(korean)
    assert [title for title in korean.values() if not (title.endswith(".") and HANGUL.search(title))] == []


def test_every_title_says_what_is_wrong_and_what_to_do() -> None:
    english = [*(title for _, title in REQUESTS.values()), *FINDINGS.values(), *FAILURES.values()]
    korean = [*titles.REQUESTS.values(), *titles.FINDINGS.values(), *titles.FAILURES.values()]
    assert [title for title in (*english, *korean) if title.count(": ") != 1] == []


def test_one_title_has_one_translation() -> None:
    english = {code: title for code, (_, title) in REQUESTS.items()}
    pairs = {
        (title, korean[code])
        for told_in, korean in ((english, titles.REQUESTS), (FINDINGS, titles.FINDINGS), (FAILURES, titles.FAILURES))
        for code, title in told_in.items()
    }
    assert len({title for title, _ in pairs}) == len(pairs)
    assert all(title_in(title, Language.KOREAN) == korean for title, korean in pairs)


def test_no_sentence_in_either_language_tells_of_our_inside() -> None:
    english = [*(title for _, title in REQUESTS.values()), *FINDINGS.values(), *FAILURES.values()]
    korean = [*titles.REQUESTS.values(), *titles.FINDINGS.values(), *titles.FAILURES.values()]
    everything = [*english, *korean, *TRANSLATED, *TRANSLATED.values()]
    assert [text for text in everything if INSIDE.search(text)] == []


def test_a_sentence_is_its_english_text() -> None:
    sentence = told("row {row} has {fields:,} fields, its header {width}", row=3, fields=1200, width=2)
    assert sentence == "row 3 has 1,200 fields, its header 2"
    assert type(in_language(sentence, Language.ENGLISH)) is str


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    inner = told("entry {entry}", entry="'모터 {entry}.csv'")
    sentence = told("{what} is protected by a password", what=inner)
    assert in_language(sentence, Language.KOREAN) == "'모터 {entry}.csv' 항목에 암호가 걸려 있습니다"


def test_a_sentence_that_nobody_translated_stays_english() -> None:
    assert in_language(Told("line {line} is odd", {"line": 3}), Language.KOREAN) == "line 3 is odd"


def test_a_sentence_survives_the_way_out_of_a_child() -> None:
    sentence = told("{what} is damaged: {reason}", what=told("the archive"), reason=told("it breaks off"))
    arrived = pickle.loads(pickle.dumps(sentence, pickle.HIGHEST_PROTOCOL))  # noqa: S301 - our own bytes
    assert arrived == sentence
    assert in_language(arrived, Language.KOREAN) == "압축 파일에 손상이 있습니다: 중간에 끊겨 있습니다"


def test_a_failure_that_only_a_newer_version_knows_has_no_title() -> None:
    assert failure_title("of_tomorrow", Language.KOREAN) == ""
    assert failure_title("timeout", Language.ENGLISH) == FAILURES["timeout"]
    assert failure_title("csv_invalid", Language.KOREAN) == titles.FINDINGS["csv_invalid"]
