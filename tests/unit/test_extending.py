"""docs/extending.md is applied to a copy of the tree: what it shows works, and takes as little as it says."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
SECTIONS = ("A blob store", "An embedder", "A document type")


@dataclass(slots=True, kw_only=True)
class Shown:
    """What one section shows: files that are new by their path, and changes as (path, old lines, new lines)."""

    files: dict[str, str] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """Lines of the new module, changed lines and changed files of before, lines of the test."""
        ((module, test),) = [[self.files[path] for path in sorted(self.files)]]
        changed = [line for _, diff in self.changes for line in diff.splitlines() if line.startswith("+")]
        return _lines(module), len(changed), len({path for path, _ in self.changes}), _lines(test)

    def apply(self, tree: Path) -> None:
        """Write the files and make the changes."""
        for path, content in self.files.items():
            assert not (tree / path).exists(), path
            (tree / path).write_text(content, "utf-8")
        for path, diff in self.changes:
            for old, new in _replacements(diff):
                before = (tree / path).read_text("utf-8")
                assert before.count(old) == 1, f"{path}: {old}"
                (tree / path).write_text(before.replace(old, new), "utf-8")


def shown_in(section: str) -> Shown:
    """The blocks of a section; the first line of each says which file it is about."""
    shown = Shown()
    text = re.split(r"^## ", PAGE.partition(f"\n## {section}\n")[2], flags=re.MULTILINE)[0]
    for language, content in re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        first, _, rest = content.partition("\n")
        if language == "python":
            shown.files[first.removeprefix("# ")] = rest
        else:
            shown.changes.append((first.removeprefix("+++ "), rest))
    return shown


def _replacements(diff: str) -> list[tuple[str, str]]:
    """(old, new) of each run of lines that ends with an addition."""
    found = []
    for hunk in re.findall(r"(?:^[ -].*\n)+(?:^\+.*\n)+", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] != "+")
        new = "".join(line[1:] for line in lines if line[0] != "-")
        found.append((old, new))
    return found


def _lines(content: str) -> int:
    return len(content.splitlines())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("src", "tests/builders", "tests/contracts", "tests/fakes"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "tests" / "unit").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_what_the_page_shows_keeps_the_contracts(tree: Path) -> None:
    for section in SECTIONS:
        shown_in(section).apply(tree)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"],
        cwd=tree,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed
    assert int(passed[1]) > 40


def test_the_page_says_how_much_each_takes() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| (\d+) lines \| (\d+) lines in (\d+) files? \| (\d+) lines \|$", PAGE, flags=re.MULTILINE
    )
    assert [tuple(map(int, row)) for row in rows] == [shown_in(section).numbers for section in SECTIONS]


def test_each_is_one_module_and_a_few_lines_of_registration() -> None:
    for section in SECTIONS:
        paths = sorted(shown_in(section).files)
        assert [path.split("/")[0] for path in paths] == ["src", "tests"]
        _, changed_lines, changed_files, _ = shown_in(section).numbers
        assert changed_files <= 2
        assert changed_lines <= 3
