"""The two pages of codes say of each what the service says of it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from entrypoints.api.codes import FAILURES, FINDINGS, REQUESTS, of_findings
from entrypoints.api.korean import titles

ROOT = Path(__file__).parents[2]
ENGLISH = ({code: title for code, (_, title) in REQUESTS.items()}, FINDINGS, FAILURES)
KOREAN = (titles.REQUESTS, titles.FINDINGS, titles.FAILURES)


def _row(code: str, status: int | None, title: str) -> str:
    meaning, remedy = title.split(": ")
    begins_a_sentence = remedy[0].upper() + remedy[1:] if title.isascii() else remedy
    cells = [f"`{code}`", *([str(status)] if status else []), meaning, begins_a_sentence]
    return f"| {' | '.join(cells)} |"


def _rows(requests: Mapping[str, str], findings: Mapping[str, str], failures: Mapping[str, str]) -> Iterator[str]:
    for code, title in requests.items():
        yield _row(code, REQUESTS[code][0], title)
    for code, title in findings.items():
        yield _row(code, of_findings([code], otherwise="upload_invalid")[1], title)
    for code, title in failures.items():
        yield _row(code, None, title)


@pytest.mark.parametrize(("page", "told"), [("docs/errors.md", ENGLISH), ("docs/errors.ko.md", KOREAN)])
def test_a_page_has_a_line_for_each_code_with_its_status_its_meaning_and_what_to_do(
    page: str, told: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]
) -> None:
    lines = re.findall(r"^\| `.*$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert lines == list(_rows(*told))


def test_each_page_is_linked_from_its_readme() -> None:
    assert "(docs/errors.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "(docs/errors.ko.md)" in (ROOT / "README.ko.md").read_text("utf-8")
