"""The table of bad inputs names every case, tests that there are, and codes that the product has."""

import ast
import re
from pathlib import Path

import pytest

from bad_inputs.matrix import CASES, CORPUS_CASES, MATRIX
from builders.real_samples import SHARED
from entrypoints.api.codes import FINDINGS, REQUESTS, of_findings

TESTS = Path(__file__).parents[1]
CORPUS = SHARED / "bad-inputs.md"


def _names_of_tests(folder: Path) -> set[str]:
    return {
        node.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_case_is_there() -> None:
    assert list(MATRIX) == list(range(1, CASES + 1))


def test_every_case_has_a_test_and_an_outcome_or_says_what_is_open() -> None:
    bare = [number for number, case in MATRIX.items() if not (case.tests and (case.refusals or case.seen))]
    assert bare == [number for number, case in MATRIX.items() if case.open]


def test_the_tests_that_the_table_names_are_there() -> None:
    known = _names_of_tests(TESTS)
    assert {test for case in MATRIX.values() for test in case.tests} - known == set()


def test_every_numbered_test_stands_in_the_rows_of_its_numbers() -> None:
    for test in _names_of_tests(Path(__file__).parent):
        for number in re.findall(r"(?:test|and)_(\d{3})_", test):
            assert test in MATRIX[int(number)].tests


def test_every_code_has_the_status_that_the_product_gives_it() -> None:
    for number, case in MATRIX.items():
        for code, status in case.refusals:
            assert code in REQUESTS or code in FINDINGS, (number, code)
            assert of_findings([code], otherwise="upload_invalid")[:2] == (code, status), number


@pytest.mark.skipif(not CORPUS.is_file(), reason="the corpus is not on this machine")
def test_the_table_says_what_the_corpus_lists_or_why_not() -> None:
    rows = re.findall(r"^\| (\d+) \| .*? \| (.*?) \|$", CORPUS.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == CORPUS_CASES
    for number, expected in ((int(number), expected) for number, expected in rows):
        listed = set(re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", expected))
        case = MATRIX[number]
        assert (
            case.differs or case.open or {code for code, _ in case.refusals} in (listed, listed or {"request_timeout"})
        )
