"""`ladderbase ls`, `show` and `tree`, and the ids that a shell completes."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from application.register_program import RegisterCommand
from builders.command_line import Run, answered, application, runner, upload
from builders.further import MARKDOWN
from builders.service import DETAILS, Service, a_service
from entrypoints.cli.main import main
from entrypoints.cli.rendering import size
from fakes.readers import ScriptedUploadReader

NAMES = ("컨베이어 1호기", "Door", "プレス機 3", "press 4")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return asyncio.run(a_service(tmp_path, hold_events_for=timedelta(minutes=1)))


@pytest.fixture
def run(service: Service) -> Run:
    return runner(service)


@pytest.fixture
def programs(service: Service) -> Sequence[str]:
    """Four programs of two users, an hour apart, none of them indexed yet."""

    async def register() -> None:
        for number, name in enumerate(NAMES):
            details = replace(DETAILS, pgm_name=name, create_user="lee" if number % 2 else "kim")
            await service.container.register_program()(RegisterCommand(details=details, upload=service.upload))
            await service.registry.clock.advance(timedelta(hours=1))

    asyncio.run(register())
    return NAMES


def listed(run: Run, *options: str) -> list[str]:
    return [program["pgm_name"] for program in answered(run("ls", "--json", *options))["items"]]


def test_an_empty_registry_says_how_to_fill_it(run: Run) -> None:
    result = run("ls")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "`ladderbase upload ZIP TEMPLATE`" in result.stderr
    assert answered(run("ls", "--json")) == {"items": [], "next": None, "total": 0}


@pytest.mark.usefixtures("programs")
def test_columns_stand_below_each_other_whatever_the_script(run: Run) -> None:
    result = run("ls", "--sort", "name")
    header, _, *rows = result.stdout.splitlines()
    at = [cell_len(row[: row.index("kim" if "kim" in row else "lee")]) for row in rows]
    assert (len(rows), set(at)) == (4, {cell_len(header[: header.index("user")])})
    assert result.stderr == "4 of 4 programs\n"


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--name", "PRESS"], ["press 4"]),
        (["--user", "kim"], ["プレス機 3", "컨베이어 1호기"]),
        (["--folder", "이송부", "--sort", "oldest"], list(NAMES)),
        (["--status", "indexed"], []),
        (["--from", "2026-01-05T11:00", "--to", "2026-01-05T12:00"], ["プレス機 3"]),
        (["--from", "2026-01-05T21:00:00+0900"], ["press 4"]),
        (["--to", "2026-01-05"], []),
    ],
)
def test_programs_are_looked_for_as_the_service_can(run: Run, options: list[str], names: list[str]) -> None:
    assert listed(run, *options) == names
    assert run("ls", *options).exit_code == (0 if names else 1)


@pytest.mark.usefixtures("programs")
def test_nothing_found_says_what_to_do(run: Run) -> None:
    result = run("ls", "--name", "nothing is called so")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "leave an option out" in result.stderr


@pytest.mark.usefixtures("programs")
def test_a_page_tells_how_to_go_on_and_all_pages_are_one_listing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("ls", "--limit", "3")
    assert "3 of 4 programs" in first.stderr
    cursor = re.search(r"--cursor (\S+)", first.stderr)
    assert cursor
    assert listed(run, "--limit", "3", "--cursor", cursor[1]) == [NAMES[0]]
    monkeypatch.setattr("entrypoints.cli.ls.PAGE", 3)
    everything = answered(run("ls", "--all", "--json"))
    assert ([each["pgm_name"] for each in everything["items"]], everything["next"], everything["total"]) == (
        list(reversed(NAMES)),
        None,
        4,
    )


@pytest.mark.usefixtures("programs")
def test_a_listing_of_very_many_stops_and_says_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.ls.PAGE", 2)
    monkeypatch.setattr("entrypoints.cli.ls._MOST", 2)
    result = run("ls", "--all")
    assert "2 of 4 programs" in result.stderr
    assert "--cursor" in result.stderr


def test_a_moment_that_is_none_is_wrong_usage(run: Run) -> None:
    assert run("ls", "--from", "yesterday").exit_code == 2


def attached(run: Run, tmp_path: Path, *options: str) -> dict[str, Any]:
    (tmp_path / "점검.md").write_bytes(MARKDOWN)
    document: dict[str, Any] = answered(run("attach", "PGM_1", str(tmp_path / "점검.md"), "--json", *options))[
        "document"
    ]
    return document


def test_one_program_is_shown_with_what_became_of_it(run: Run, service: Service, tmp_path: Path) -> None:
    upload(run, service, "--name", "라인", "--user", "kim", "--version", "2.1")
    attached(run, tmp_path, "--title", "펌프 점검표")
    result = run("show", "PGM_1")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == "PGM_1  라인"
    assert re.search(r"version +2\.1 ", result.stdout)
    assert re.search(r"registered +2026-01-05 09:00:00 UTC", result.stdout)
    assert re.search(r"revision +1, indexed", result.stdout)
    assert re.search(r"documents +5: 4 indexed, 1 skipped", result.stdout)
    assert re.search(r"notice.*M10|notice.*Y0", result.stdout)
    assert re.search(r"PGM_1-r0-0001.*점검\.md.*펌프 점검표.*indexed", result.stdout)
    shown = answered(run("show", "PGM_1", "--json"))
    assert shown.keys() == {"program", "indexing", "warnings", "further_documents"}


def test_what_failed_is_shown_with_what_to_do_and_exit_code_4(run: Run, service: Service) -> None:
    first, *rest = service.inspected.ladders
    wrong = replace(service.inspected, ladders=(replace(first, sha256="0" * 64), *rest))
    service.container.upload_reader.override(ScriptedUploadReader(wrong))
    upload(run, service)
    result = run("show", "PGM_1")
    assert result.exit_code == 4
    assert re.search(r"0000_11\.csv.*storage_corrupt", result.stdout)
    title = answered(run("show", "PGM_1", "--json"))["indexing"]["errors"][0]["title"]
    assert title in result.stdout


def test_a_tree_shows_folders_logics_and_files(run: Run, service: Service, tmp_path: Path) -> None:
    logics = service.inspected.template.logics
    template = replace(service.inspected.template, logics=(replace(logics[0], sub_folder_name="비상"), logics[1]))
    service.upload_reader.inspected = replace(service.inspected, template=template)
    upload(run, service, "--name", "라인")
    attached(run, tmp_path)
    assert run("tree", "PGM_1").stdout.splitlines() == [
        "PGM_1  라인",
        "├── 0  이송부",
        "│   ├── 비상",
        "│   │   └── 0000_11  L0000_11  PGM_1-r1-0002  2 rungs, indexed",
        "│   └── 0001_11  L0001_11  PGM_1-r1-0003  1 rung, indexed",
        "└── files",
        f"    ├── ladder.zip  PGM_1-r1-0000  {size(service.upload.ladder_zip.size_bytes)}, skipped",
        "    ├── template.xlsx  PGM_1-r1-0001  33 B, indexed",
        "    └── 점검.md  PGM_1-r0-0001  108 B, indexed",
    ]


@pytest.mark.parametrize("verb", ["show", "tree", "download"])
def test_a_program_that_is_not_there_is_told_and_exits_1(run: Run, verb: str) -> None:
    result = run(verb, "PGM_9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "PGM_9" in result.stderr
    assert answered(run(verb, "PGM_9", "--json"))["code"] == "not_found"


def test_what_is_no_id_is_told_with_what_to_do(run: Run) -> None:
    result = run("show", "line 1")
    assert result.exit_code == 1
    assert "pgm_id" in result.stderr


def completed(service: Service | None, words: str, **environment: str) -> list[list[str]]:
    line = words.split(" ")
    result = CliRunner().invoke(
        main,
        prog_name="ladderbase",
        obj=application(service) if service else None,
        env={
            "_LADDERBASE_COMPLETE": "fish_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": line[-1],
            **environment,
        },
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [each.split("\t") for each in result.stdout.splitlines() if each]


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("verb", ["show", "tree", "download", "rm", "status", "retry", "attach"])
def test_a_shell_completes_ids_and_tells_names(service: Service, verb: str) -> None:
    assert [line[0].removeprefix("plain,") for line in completed(service, f"ladderbase {verb} pgm_")] == [
        "PGM_4",
        "PGM_3",
        "PGM_2",
        "PGM_1",
    ]
    assert completed(service, f"ladderbase {verb} PGM_3") == [["plain,PGM_3", "プレス機 3"]]


def test_a_shell_is_told_nothing_where_nobody_answers() -> None:
    assert completed(None, "ladderbase show PGM", LADDERBASE_URL="http://127.0.0.1:9") == []


def test_every_verb_is_completed() -> None:
    names = {line[0].removeprefix("plain,") for line in completed(None, "ladderbase ")}
    assert {"ls", "show", "tree", "download", "rm", "attach"} <= names
