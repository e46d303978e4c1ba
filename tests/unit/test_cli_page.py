"""docs/cli.md: every verb stands there, and every command of it prints what it says."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import Result

from builders.further import MARKDOWN
from builders.service import Service, a_service
from builders.stage import CHECKS, stage
from entrypoints.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
COMMAND = "$ ladderbase "
# A script of its own kind, and a protocol that is JSON throughout.
NOT_JSON = {"completion", "mcp"}
IN_LINES = {"audit", "gc", "keys list"}
OF_PEOPLE = "upload ls show tree search where-used download attach rm status retry".split()


def verbs(group: click.Group = main, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its words, those of groups too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from verbs(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def shown() -> Iterator[tuple[str, list[str]]]:
    """The commands of the page, each with the lines that it prints."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        for each in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
            if each:
                command, *lines = each.splitlines()
                yield command.removeprefix("$ "), lines


def pattern(lines: list[str]) -> str:
    """`…` stands for whatever differs from time to time; alone on a line, for lines."""
    escaped = ("(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in lines)
    return "".join(escaped)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """On a service that has nothing yet, in a folder with the files of an upload and a manual."""
    folder = tmp_path / "service"
    folder.mkdir()
    service: Service = asyncio.run(
        a_service(
            folder,
            hold_events_for=timedelta(minutes=1),
            randomness=lambda size_bytes: bytes(range(size_bytes)),
            readiness_checks=CHECKS,
        )
    )
    (tmp_path / "manual.md").write_bytes(MARKDOWN)
    for file in (service.upload.ladder_zip, service.upload.template):
        (tmp_path / file.name).write_bytes(file.path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return stage(service, monkeypatch)


def test_every_command_of_the_page_prints_what_it_says(run: Callable[[str], Result]) -> None:
    for command, lines in shown():
        result = run(command)
        assert re.fullmatch(pattern(lines), _trimmed(result.output)), f"{command}\n{result.output}{result.exception}"


def _trimmed(output: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in output.splitlines())


@pytest.mark.parametrize("verb", [name for name, _ in verbs()])
def test_every_verb_stands_on_the_page(verb: str) -> None:
    assert any(command.startswith(f"ladderbase {verb}") for command, _ in shown())


def test_every_verb_speaks_json_but_those_that_cannot() -> None:
    silent = {name for name, command in verbs() if "as_json" not in {each.name for each in command.params}}
    assert silent == NOT_JSON


def test_every_document_is_json_and_nothing_else(run: Callable[[str], Result]) -> None:
    told = set()
    for command, _ in shown():
        verb = command.removeprefix("ladderbase ").split(" ")
        name = " ".join(verb[:2]) if verb[0] in {"keys", "webhooks"} else verb[0]
        if name in NOT_JSON:
            continue
        result = run(command if "--json" in command else f"{command} --json")
        documents = result.stdout.splitlines() if name in IN_LINES else [result.stdout] if result.stdout else []
        told |= {name for each in documents if isinstance(json.loads(each), dict)}
        assert result.stdout or name in IN_LINES or "Error: " in result.stderr, command
    assert told >= {name for name, _ in verbs()} - NOT_JSON - {"audit", "gc"}  # which find nothing here


@pytest.mark.parametrize("code", ["REFUSED", "NO_SERVICE", "SOME_FAILED", "TIMED_OUT", "INTERRUPTED"])
def test_every_exit_code_stands_on_the_page(code: str) -> None:
    from entrypoints.cli import exit_codes  # noqa: PLC0415 - its names are the parameters

    assert f"| {getattr(exit_codes, code)} |" in PAGE


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readmes_lead_to_the_page_and_name_the_verbs_of_people(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "(docs/cli.md)" in text
    assert f"`.venv/bin/ladderbase {' | '.join(OF_PEOPLE)}`" in text
