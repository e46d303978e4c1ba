"""The commands over the HTTP API, against the real application in this process with fakes behind it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from application.retry_everywhere import PROGRAMS_AT_ONCE
from builders.command_line import Run, answered, application, runner, upload
from builders.service import Service, a_service
from builders.uploads import CONVEYOR, an_upload
from domain.caller import Scope
from domain.findings import Finding, Section
from domain.told import told
from entrypoints.cli.following import Patience, progress
from entrypoints.cli.main import main
from entrypoints.cli.problems import TimedOutError
from entrypoints.cli.service import connected
from entrypoints.cli.standing import standing_lines
from fakes.embedder import HashingEmbedder, UnavailableEmbedder
from fakes.readers import ScriptedUploadReader


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return asyncio.run(a_service(tmp_path, hold_events_for=timedelta(minutes=1)))


@pytest.fixture
def run(service: Service) -> Run:
    return runner(service)


def with_a_wrong_hash(service: Service) -> None:
    """The first ladder of every upload can be registered and not be indexed."""
    first, *rest = service.inspected.ladders
    told_wrong = replace(service.inspected, ladders=(replace(first, sha256="0" * 64), *rest))
    service.container.upload_reader.override(ScriptedUploadReader(told_wrong))


def test_an_upload_tells_what_was_read_and_waits_until_it_is_searchable(run: Run, service: Service) -> None:
    result = upload(run, service)
    assert result.exit_code == 0, result.output
    assert "registered PGM_1, revision 1: 2 logics, 2 ladder files, 2 device comments" in result.stdout
    assert re.search(r"0000_11\.csv.*utf-8.*comma.*GX Works3", result.stdout)
    assert "searchable: 3 documents" in result.stdout
    assert "indexing 4 of 4" in result.stderr


def test_an_upload_takes_its_names_from_the_options(run: Run, service: Service) -> None:
    result = upload(run, service, "--name", "라인", "--user", "kim", "--version", "2", "--json", "--no-wait")
    body = answered(result)
    assert (body["program"]["pgm_name"], body["program"]["create_user"], body["program"]["pgm_version"]) == (
        "라인",
        "kim",
        "2",
    )
    assert body["indexing"] is None


def test_an_upload_is_named_after_its_zip(run: Run, service: Service) -> None:
    body = answered(upload(run, service, "--json"))
    assert body["program"]["pgm_name"] == "ladder"
    assert body["indexing"]["status"] == "indexed"


def test_files_are_replaced_in_the_program_that_is_named(run: Run, service: Service, tmp_path: Path) -> None:
    upload(run, service)
    same = upload(run, service, "--into", "PGM_1")
    assert "has these files already" in same.stdout
    assert same.exit_code == 0
    (tmp_path / "anew").mkdir()
    service.upload, service.upload_reader.inspected = an_upload(tmp_path / "anew", {"0000_11": CONVEYOR})
    anew = answered(upload(run, service, "--into", "PGM_1", "--user", "lee", "--json"))
    assert (anew["program"]["revision"], anew["program"]["create_user"]) == (2, "lee")
    assert (anew["indexing"]["answering"], anew["indexing"]["status"]) == (2, "indexed")
    assert upload(run, service, "--into", "PGM_404").exit_code == 1
    assert upload(run, service, "--into", "PGM_1", "--name", "another").exit_code == 2


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LC_MESSAGES": "ko_KR.UTF-8", "LANG": "C"}, "ko"),
        ({"LC_ALL": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "ko_KR.eucKR"}, "ko"),
        ({"LANG": "kok_IN"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_service_is_asked_in_the_language_of_the_terminal(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    blank = Finding(
        section=Section.TEMPLATE,
        code="logic_id_blank",
        file="t.xlsx",
        row=7,
        message=told("the Logic ID is blank"),
        hint=told("Type the cell again."),
    )
    service.upload_reader.inspected = replace(service.inspected, findings=(blank,))
    refused = upload(run, service)
    detail = {"en": "t.xlsx, row 7: the Logic ID is blank", "ko": "t.xlsx, 7행: Logic ID가 비어 있습니다"}[language]
    assert refused.exit_code == 1
    assert detail in refused.stderr


def test_a_refused_upload_shows_every_finding_and_exits_1(run: Run, service: Service) -> None:
    findings = (
        Finding(
            section=Section.TEMPLATE,
            code="logic_id_blank",
            file="t.xlsx",
            message=told("no id"),
            hint=told("fill it"),
            row=7,
        ),
        Finding(
            section=Section.LADDER_ZIP,
            code="zip_corrupt",
            file="a.zip",
            message=told("cut off"),
            hint=told("zip it again"),
        ),
    )
    service.container.upload_reader.override(ScriptedUploadReader(replace(service.inspected, findings=findings)))
    result = upload(run, service)
    assert result.exit_code == 1
    assert re.search(r"t\.xlsx.*7.*no id.*fill it", result.stderr)
    assert re.search(r"a\.zip.*cut off.*zip it again", result.stderr)
    as_json = upload(run, service, "--json")
    assert as_json.exit_code == 1
    assert answered(as_json)["code"] == "upload_invalid"


def test_documents_that_failed_give_exit_code_4(run: Run, service: Service) -> None:
    with_a_wrong_hash(service)
    result = upload(run, service)
    assert result.exit_code == 4
    assert re.search(r"0000_11\.csv.*storage_corrupt", result.stdout)
    assert run("status", "PGM_1").exit_code == 4


@pytest.fixture
def key(service: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    """A key of kim's, in the environment, and a service that asks for one."""
    service.container.auth_required.override(True)  # noqa: FBT003 - the value that is provided
    created = asyncio.run(service.container.create_key()("kim", frozenset({Scope.WRITE}), timedelta(days=1)))
    monkeypatch.setenv("LADDERBASE_API_KEY", created.text)
    return str(created.text)


@pytest.mark.usefixtures("key")
def test_every_command_sends_the_key_of_the_environment(run: Run, service: Service) -> None:
    body = answered(upload(run, service, "--json"))
    assert body["program"]["create_user"] == "kim"
    assert run("status").exit_code == run("status", "PGM_1").exit_code == 0
    assert run("search", "M10").exit_code == 0
    assert run("retry", "PGM_1").exit_code == 0


@pytest.mark.usefixtures("key")
def test_another_name_than_that_of_the_key_is_refused(run: Run, service: Service) -> None:
    result = upload(run, service, "--user", "lee")
    assert result.exit_code == 1
    assert "Leave create_user out" in result.stderr


@pytest.mark.usefixtures("key")
def test_a_missing_key_is_told_with_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LADDERBASE_API_KEY")
    result = run("status")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "send an API key" in result.stderr


@pytest.mark.parametrize("wrong", ["lb_키", "a b", "a\nb"])
def test_what_no_key_can_be_is_wrong_usage_and_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("LADDERBASE_API_KEY", wrong)
    result = run("status")
    assert result.exit_code == 2
    assert wrong not in result.stderr


def test_an_upload_that_gets_no_answer_is_sent_again_and_registered_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entrypoints.cli.service._UPLOAD_PAUSES_S", (0.0, 0.0))
    forgetful = Forgetful(application(service), forgotten=2)
    paths = (str(service.upload.ladder_zip.path), str(service.upload.template.path))
    result = CliRunner().invoke(main, ["upload", *paths, "--json", "--no-wait"], obj=forgetful)
    assert answered(result)["program"]["pgm_id"] == "PGM_1"
    assert list(service.registry.committed.programs) == ["PGM_1"]
    assert len(forgetful.keys) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_an_upload_that_is_told_to_wait_waits_as_long_and_is_sent_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    slept: list[float] = []

    async def pause(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("entrypoints.cli.service.pause", pause)
    full = Full(application(service), status=status, waits=["2", "7200"])
    paths = (str(service.upload.ladder_zip.path), str(service.upload.template.path))
    result = CliRunner().invoke(main, ["upload", *paths, "--json", "--no-wait"], obj=full)
    assert answered(result)["program"]["pgm_id"] == "PGM_1"
    assert slept == [2.0, 60.0]


def test_an_upload_is_given_up_after_three_attempts(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.service._UPLOAD_PAUSES_S", (0.0, 0.0))
    forgetful = Forgetful(application(service), forgotten=9)
    paths = (str(service.upload.ladder_zip.path), str(service.upload.template.path))
    assert CliRunner().invoke(main, ["upload", *paths], obj=forgetful).exit_code == 3
    assert forgetful.forgotten == 6


def test_a_key_of_one_s_own_makes_two_calls_one_upload(run: Run, service: Service) -> None:
    for _ in range(2):
        assert upload(run, service, "--idempotency-key", "night shift 7").exit_code == 0
    assert list(service.registry.committed.programs) == ["PGM_1"]
    assert upload(run, service, "--into", "PGM_1", "--idempotency-key", "x").exit_code == 2


class Full(httpx.AsyncBaseTransport):
    """Has no place at first, and says each time how many seconds to wait."""

    def __init__(self, service: httpx.AsyncBaseTransport, *, status: int, waits: list[str]) -> None:
        self._service = service
        self._status = status
        self._waits = waits

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self._waits:
            headers = {"Retry-After": self._waits.pop(0)}
            return httpx.Response(self._status, json={"detail": "no place"}, headers=headers, request=request)
        return await self._service.handle_async_request(request)


class Forgetful(httpx.AsyncBaseTransport):
    """Carries out, and loses the answer so many times; notes the keys under which uploads came."""

    def __init__(self, service: httpx.AsyncBaseTransport, *, forgotten: int) -> None:
        self._service = service
        self.forgotten = forgotten
        self.keys: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._service.handle_async_request(request)
        self.keys.add(request.headers["Idempotency-Key"])
        if self.forgotten:
            self.forgotten -= 1
            raise httpx.ReadError("the connection was lost")
        return answer


def test_a_missing_file_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    result = run("upload", str(tmp_path / "none.zip"), str(tmp_path / "none.xlsx"))
    assert result.exit_code == 2


@pytest.mark.parametrize("command", [["search", "M1"], ["status"], ["status", "PGM_1"], ["retry", "PGM_1"]])
def test_no_service_gives_exit_code_3_and_one_line(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--url", "http://127.0.0.1:9"])
    assert result.exit_code == 3
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "no service answers at http://127.0.0.1:9" in result.stderr


@pytest.mark.parametrize("address", ["http://", "nowhere", "ftp://host", "http://a:b:c"])
def test_an_address_that_is_none_is_wrong_usage(address: str) -> None:
    result = CliRunner().invoke(main, ["status", "--url", address])
    assert result.exit_code == 2


async def test_a_standstill_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    background = await a_service(tmp_path)
    await background.register()
    transport = application(background)
    async with connected("http://demo", transport) as client:
        with pytest.raises(TimedOutError, match="stands still"):
            [step async for step in progress(client, "PGM_1", Patience(standstill_s=0.0))]


def test_something_else_that_answers_is_no_service() -> None:
    async def website(_scope: object, _receive: object, send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    result = CliRunner().invoke(main, ["status"], obj=httpx.ASGITransport(website))
    assert (result.exit_code, "is not this service" in result.stderr) == (3, True)


def test_a_search_shows_place_steps_ladder_and_comments(run: Run, service: Service) -> None:
    upload(run, service)
    result = run("search", "X0", "M10", "--limit", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert re.match(r"1\. 이송부/L0000_11  0000_11  steps 8-9  PGM_1 0000_11\.csv", lines[0])
    assert [line.strip() for line in lines[1:4]] == ["컨베이어 정지", "LD X0", "OUT M10"]
    assert re.search(r"X0 +정지 버튼", result.stdout)


def test_nothing_found_gives_exit_code_1(run: Run) -> None:
    result = run("search", "M1")
    assert (result.exit_code, result.stdout) == (1, "")


def test_a_search_can_be_narrowed_and_read_by_scripts(run: Run, service: Service) -> None:
    upload(run, service)
    result = run("search", "LDI X1", "--logic-id", "0001_11", "--document-type", "PGM_LADDER_CSV", "--json")
    assert {hit["logic_id"] for hit in answered(result)["hits"]} == {"0001_11"}


def test_a_search_that_is_refused_exits_1(run: Run) -> None:
    assert run("search", " ").exit_code == 1
    assert answered(run("search", " ", "--json"))["status"] == 422


def test_the_status_of_an_empty_service_says_so(run: Run) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "documents: none"
    assert result.stdout.splitlines()[-1] == "no program is registered"


def test_the_status_lists_programs_and_tells_one(run: Run, service: Service) -> None:
    upload(run, service, "--name", "라인")
    listing, one = run("status"), run("status", "PGM_1")
    assert re.search(r"PGM_1.*라인.*indexed", listing.stdout)
    assert "4 of 4 done: 3 indexed, 1 skipped" in one.stdout
    assert answered(run("status", "--json"))["items"][0]["pgm_id"] == "PGM_1"
    assert answered(run("status", "PGM_1", "--json"))["indexing"]["done"] == 4


def test_the_status_tells_how_the_service_stands(run: Run, service: Service) -> None:
    upload(run, service)
    lines = run("status").stdout.splitlines()
    assert lines[:3] == [
        "documents: 3 indexed, 1 skipped",
        "events: 0 pending (0 due, 0 leased), 0 dead",
        "index: hashing, 64 dimensions, rendering 1: complete, 3 of 3 documents",
    ]
    operations = answered(run("status", "--json"))["operations"]
    assert operations["documents"] == {"pending": 0, "indexing": 0, "indexed": 3, "failed": 0, "skipped": 1}


def test_the_status_names_what_waits_longest_and_why(run: Run, service: Service) -> None:
    service.container.embedder.override(UnavailableEmbedder(HashingEmbedder(), failures=1))
    upload(run, service, "--no-wait")
    asyncio.run(service.registry.clock.advance(timedelta(seconds=0.1)))
    lines = run("status").stdout.splitlines()
    assert re.fullmatch(
        r"waiting for 0 s: PGM_1-r1-0001 template\.xlsx, it is tried again in 1 s, after 1 attempts", lines[1]
    )
    assert lines[2] == "  its last attempt failed at embed: unavailable, embedder gave no answer that could be used"
    assert lines[3] == "events: 1 pending (0 due, 0 leased), 0 dead, the oldest waits for 0 s"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"age_s": 7_300.0, "waits_for": "worker"}, "waiting for 2 h: D1 a.csv, it waits for a free worker"),
        ({"age_s": 130.0, "waits_for": "work_under_way"}, "waiting for 2 min: D1 a.csv, a worker is at it"),
        (
            {"age_s": 9.0, "waits_for": "next_attempt", "next_attempt_dt": "2026-01-05T09:01:00Z"},
            "waiting for 9 s: D1 a.csv, it is tried again in 60 s",
        ),
        (
            {"age_s": 300_000.0, "waits_for": "operator"},
            "waiting for 3 d: D1 a.csv, nobody tries it any more: see `ladderbase retry`",
        ),
    ],
)
def test_what_waits_longest_is_told_in_plain_words(change: dict[str, Any], told: str) -> None:
    waiting = {"document_id": "D1", "document_name": "a.csv", "attempts": 0, "next_attempt_dt": None}
    operations = {
        "as_of_dt": "2026-01-05T09:00:00Z",
        "documents": {"pending": 1},
        "oldest": {**waiting, "last_failure": None, **change},
        "outbox": {"pending": 0, "due": 0, "leased": 0, "dead": 2, "oldest_age_s": None},
        "indexes": [
            {"model": "m", "dimension": 8, "rendering_version": 2, "held": 1, "total": 3}
            | {"current": False, "complete": False, "building": True}
        ],
        "uploads": 2,
    }
    assert list(standing_lines(operations)) == [
        "documents: 1 pending",
        told,
        "events: 0 pending (0 due, 0 leased), 2 dead",
        "index: m, 8 dimensions, rendering 2: being built, 1 of 3 documents, not the current one",
        "uploads under way: 2",
    ]


def test_the_status_of_an_unknown_program_exits_1(run: Run) -> None:
    assert run("status", "PGM_9").exit_code == 1
    assert answered(run("status", "PGM_9", "--json"))["code"] == "not_found"


def test_a_retry_gives_back_what_failed(run: Run, service: Service) -> None:
    with_a_wrong_hash(service)
    upload(run, service)
    result = run("retry", "PGM_1")
    assert (result.exit_code, result.stdout) == (0, "gave back 1 documents of PGM_1\n")
    assert answered(run("retry", "PGM_1", "--json"))["document_count"] == 0
    assert answered(run("retry", "PGM_1", "--all-states", "--json"))["document_count"] == 3
    named = run("retry", "PGM_1", "--document", "PGM_1-r1-0002", "--document", "PGM_1-r1-0003", "--all-states")
    assert named.stdout == "gave back 2 documents of PGM_1\n"


def test_a_retry_of_all_programs_goes_page_by_page(run: Run, service: Service) -> None:
    with_a_wrong_hash(service)
    for _ in range(PROGRAMS_AT_ONCE + 2):
        upload(run, service)
    result = run("retry", "--all-failed")
    assert result.stdout == f"gave back {PROGRAMS_AT_ONCE + 2} documents and 0 dead events\n"
    assert answered(run("retry", "--dead", "--json")) == {"document_count": 0, "event_count": 0}


@pytest.mark.parametrize(
    "arguments",
    [[], ["PGM_1", "--dead"], ["--all-failed", "--dead"], ["--dead", "--all-states"], ["--dead", "--document", "x"]],
)
def test_a_retry_of_nothing_or_of_two_things_is_wrong_usage(run: Run, arguments: list[str]) -> None:
    assert run("retry", *arguments).exit_code == 2


def test_a_retry_that_is_refused_exits_1(run: Run) -> None:
    assert run("retry", "PGM_9").exit_code == 1
    assert answered(run("retry", "PGM_9", "--json"))["code"] == "not_found"


def test_a_pipe_gets_no_colours(run: Run, service: Service) -> None:
    upload(run, service)
    assert "\x1b" not in run("search", "X0").output


@pytest.mark.parametrize("command", ["audit", "demo", "gc", "migrate", "retry", "run", "search", "status", "upload"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5


def test_migrate_names_the_setting_that_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    result = run("migrate")
    assert result.exit_code == 2
    assert "DATABASE_URL" in result.stderr


def test_no_command_loads_what_only_servers_need() -> None:
    script = (
        "import sys, entrypoints.cli.main as cli; from importlib import import_module;"
        "served = {'audit', 'doctor', 'gc', 'keys', 'migrate', 'reindex'};"
        "[import_module(module) for name, module in cli._COMMANDS.items() if name not in served];"
        "print(sorted({'pandas', 'pymilvus', 'sqlalchemy', 'litestar', 'numpy'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout == "[]\n"
