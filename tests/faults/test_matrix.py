"""The table of the fault matrix names every row, and tests that there are."""

import ast
from pathlib import Path

from faults.guards import GUARDS, ROOT
from faults.matrix import MATRIX, ROWS

TESTS = Path(__file__).parents[1]


def _names_of_tests() -> set[str]:
    """Every function of the tests that pytest would collect, in classes too."""
    return {
        node.name
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_row_of_the_matrix_is_there() -> None:
    assert list(MATRIX) == [f"{part}{number}" for part, count in ROWS.items() for number in range(1, count + 1)]


def test_every_row_has_a_test_or_says_why_not() -> None:
    assert [name for name, row in MATRIX.items() if not row.tests and not row.open] == []


def test_the_tests_that_the_matrix_names_are_there() -> None:
    known = _names_of_tests()
    assert {test for row in MATRIX.values() for test in row.tests} - known == set()


def test_every_guard_stands_once_in_its_file_and_has_a_test_that_is_there() -> None:
    known = _names_of_tests()
    wrong = [
        guard.name
        for guard in GUARDS
        if (ROOT / guard.file).read_text("utf-8").count(guard.fragment) != 1 or guard.test.split("::")[-1] not in known
    ]
    assert wrong == []
