"""`ladderbase rm`: nothing goes that nobody said yes to."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from builders.command_line import Busy, Run, answered, runner, upload
from builders.further import MARKDOWN
from builders.service import Service, a_service


@pytest.fixture
def service(tmp_path: Path) -> Service:
    service = asyncio.run(a_service(tmp_path, hold_events_for=timedelta(minutes=1)))
    for name in ("라인", "Press"):
        upload(runner(service), service, "--name", name)
    return service


@pytest.fixture
def run(service: Service) -> Run:
    return runner(service)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.rm._is_terminal", lambda: True)


def left(run: Run) -> list[str]:
    return [program["pgm_id"] for program in answered(run("ls", "--json"))["items"]]


def test_where_nobody_can_be_asked_nothing_is_deleted(run: Run) -> None:
    result = run("rm", "PGM_1", input="y\n")
    assert (result.exit_code, left(run)) == (2, ["PGM_2", "PGM_1"])
    assert "--yes" in result.stderr


def test_several_are_deleted_at_once_and_told(run: Run) -> None:
    result = run("rm", "PGM_1", "PGM_2", "PGM_1", "--yes")
    assert (result.exit_code, result.stdout) == (0, "deleted PGM_1\ndeleted PGM_2\n")
    assert left(run) == []


def test_what_was_not_there_is_told_and_exits_1(run: Run) -> None:
    result = run("rm", "PGM_1", "PGM_7", "--yes")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "deleted PGM_1\n", "PGM_7 was not there\n")
    again = run("rm", "PGM_1", "--yes", "--json")
    assert (again.exit_code, answered(again)) == (1, {"items": [{"pgm_id": "PGM_1", "result": "absent"}], "deleted": 0})


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_the_names_are_asked_about(run: Run) -> None:
    no = run("rm", "PGM_1", "PGM_7", input="n\n")
    assert (no.exit_code, left(run)) == (1, ["PGM_2", "PGM_1"])
    assert "Delete PGM_1 (라인, 4 documents), PGM_7 (not there), for good? [y/N]" in no.stderr
    yes = run("rm", "PGM_1", input="y\n")
    assert (yes.exit_code, yes.stdout, left(run)) == (0, "deleted PGM_1\n", ["PGM_2"])


@pytest.mark.usefixtures("terminal")
def test_a_question_about_many_names_some(run: Run) -> None:
    result = run("rm", *(f"PGM_{number}" for number in range(1, 31)), input="n\n")
    assert "and 20 more, for good?" in result.stderr


def test_more_than_the_service_takes_at_once_are_deleted_in_turn(run: Run) -> None:
    many = [f"PGM_{number}" for number in range(1, 151)]
    assert answered(run("rm", *many, "--yes", "--json"))["deleted"] == 2


def test_a_further_document_is_removed_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes(MARKDOWN)
    document_id = answered(run("attach", "PGM_1", str(tmp_path / "notes.md"), "--json"))["document"]["document_id"]
    result = run("rm", "PGM_1", "--document", document_id, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"deleted {document_id}\n")
    assert answered(run("show", "PGM_1", "--json"))["further_documents"] == []
    of_the_upload = run("rm", "PGM_1", "--document", "PGM_1-r1-0001", "--yes")
    assert of_the_upload.exit_code == 1
    assert run("rm", "PGM_1", "PGM_2", "--document", document_id, "--yes").exit_code == 2


def test_what_is_no_id_deletes_nothing(run: Run) -> None:
    assert run("rm", "PGM_1", "*", "--yes").exit_code == 1
    assert left(run) == ["PGM_2", "PGM_1"]
    assert run("rm", "--yes").exit_code == 2


def test_a_deletion_waits_as_the_service_asks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_pause(_: float) -> None:
        pass

    monkeypatch.setattr("entrypoints.cli.service.pause", no_pause)
    result = runner(service, lambda transport: Busy(transport, times=1, wait_s="7"))("rm", "PGM_1", "--yes")
    assert (result.exit_code, result.stdout) == (0, "deleted PGM_1\n")
