"""The project's documents point at what is there, and its two languages say the same."""

import re
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

import flow

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.ko.md")
LARGEST_TEXT = 2_000_000
OWN_MACHINE = re.compile(r"(?<![\w.:/-])/(?:work|root|home|Users|tmp/scratch)/\w")
# Spelled in two halves, or this file would be the first to be found.
PACKAGE_INDEX = re.compile(
    "|".join(
        (
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "registry" + r"\.npmjs",
            "proxy" + r"\.golang",
            "index" + "-url ?=",
        )
    ),
    re.IGNORECASE,
)


def _tracked() -> list[Path]:
    """The files that git knows, or would take: those of the project, whatever else lies in the folder."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=False, timeout=30)
    if listed.returncode:
        pytest.skip("no git here, or this is no checkout: nobody can tell the project's files from others")
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def _texts() -> Iterator[tuple[Path, str]]:
    for path in _tracked():
        content = path.read_bytes()
        if b"\0" not in content and len(content) < LARGEST_TEXT:
            yield path.relative_to(ROOT), content.decode("utf-8", "replace")


def _prose(markdown: str) -> str:
    return re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)


def _blocks(markdown: str) -> list[tuple[str, str]]:
    """(language, content) of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)


def _commands(markdown: str) -> list[str]:
    """The lines of the shell blocks, without their comments, which are translated."""
    lines = chain.from_iterable(content.splitlines() for language, content in _blocks(markdown) if language == "sh")
    return [re.sub(r"\s+#.*", "", line) for line in lines]


def _readme(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_relative_link_of_a_document_leads_somewhere() -> None:
    dead = [
        f"{path}: {target}"
        for path, text in _texts()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(text))
        if "://" not in target and not target.startswith(("#", "mailto:"))
        if not (ROOT / path).parent.joinpath(unquote(target.partition("#")[0])).exists()
    ]
    assert dead == []


def test_the_readmes_have_the_same_headings_and_link_to_the_same_places() -> None:
    levels = [re.findall(r"^(#+) ", _prose(_readme(name)), flags=re.MULTILINE) for name in READMES]
    assert levels[0] == levels[1]
    english, korean = (re.findall(r"\]\(([^)]+)\)", _prose(_readme(name))) for name in READMES)
    assert {link.replace(".ko.", ".") for link in english} == {link.replace(".ko.", ".") for link in korean}
    assert [link for link in korean if link.endswith("settings.md")] == []


def test_the_readmes_name_the_same_commands() -> None:
    english, korean = (_commands(_readme(name)) for name in READMES)
    assert english
    assert english == korean


def test_the_picture_of_the_readmes_is_what_its_tool_draws_in_either_language() -> None:
    pictures = {"flow.svg": flow.ENGLISH, "flow.ko.svg": flow.KOREAN}
    assert flow.ENGLISH.keys() == flow.KOREAN.keys() == {*(box.name for box in flow.BOXES), "title", "truth", "made"}
    for (name, words), readme in zip(pictures.items(), READMES, strict=True):
        assert (ROOT / "docs" / "img" / name).read_text("utf-8") == flow.drawn(words), "run python tools/flow.py"
        assert ET.fromstring(flow.drawn(words)).tag.endswith("svg")  # noqa: S314 - our own
        assert f"(docs/img/{name})" in _readme(readme)


def test_every_test_that_a_page_names_for_a_promise_is_there() -> None:
    page = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("concepts.md", "operations.md"))
    named = set(re.findall(r"`(test_\w+)`", page))
    written = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert len(named) > 10
    assert named - set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", written, re.MULTILINE)) == set()


def test_the_readmes_name_the_same_code() -> None:
    """Names, paths, codes of errors: what stands between backticks needs no translation."""
    english, korean = (set(re.findall(r"`([^`\n]+)`", _prose(_readme(name)))) for name in READMES)
    assert english ^ korean == set()


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = {
        (str(path), target)
        for path, text in _texts()
        if path.suffix == ".md"
        for target in re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )*([a-z-]+)", text, flags=re.MULTILINE)
    }
    assert ("README.md", "demo") in named
    assert sorted((path, target) for path, target in named if target not in targets) == []


def test_every_decision_stands_in_the_index_under_its_number_and_has_its_four_parts() -> None:
    folder = ROOT / "docs" / "adr"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    index = (folder / "README.md").read_text("utf-8")
    assert re.findall(r"^(\d+)\. \[.*\]\((.*)\)$", index, flags=re.MULTILINE) == [
        (str(int(name[:4])), name) for name in pages
    ]
    for page in pages:
        parts = re.findall(r"^## (.*)$", (folder / page).read_text("utf-8"), flags=re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Alternatives"], page


def test_no_file_names_a_path_of_somebody_s_machine_or_a_package_index() -> None:
    found = [
        f"{path}: {match.group()}"
        for path, text in _texts()
        for pattern in (OWN_MACHINE, PACKAGE_INDEX)
        for match in pattern.finditer(text)
    ]
    assert found == []
