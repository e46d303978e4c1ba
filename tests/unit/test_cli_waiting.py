"""Waiting for an indexing: told by a stream or by asking, and given up without anything being lost."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from builders.command_line import Busy, Run, answered, runner, upload
from builders.further import MARKDOWN
from builders.service import Service, a_service
from entrypoints.cli.following import Patience, progress
from entrypoints.cli.problems import NoServiceError, RefusedError, TimedOutError
from entrypoints.cli.service import connected

Step = dict[str, Any]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return asyncio.run(a_service(tmp_path, hold_events_for=timedelta(minutes=1)))


@pytest.fixture
def background(tmp_path: Path) -> Service:
    """One whose worker never comes."""
    return asyncio.run(a_service(tmp_path))


class Told(httpx.AsyncBaseTransport):
    """A service that answers scripted streams, one after the other, and a status of its own."""

    def __init__(self, *streams: Sequence[str] | int, statuses: Sequence[Step | int]) -> None:
        self._streams = list(streams)
        self._statuses = list(statuses)
        self.last_ids: list[str | None] = []
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            self.last_ids.append(request.headers.get("Last-Event-ID"))
            stream = self._streams.pop(0) if self._streams else 404
            if isinstance(stream, int):
                return httpx.Response(stream, json={"title": "no stream"}, request=request)
            return httpx.Response(200, stream=Lines(stream), request=request)
        self.asked += 1
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(status, int):
            return httpx.Response(status, json={"title": "away"}, request=request)
        return httpx.Response(200, json=status, request=request)


class Lines(httpx.AsyncByteStream):
    """Events that come one by one; the connection is lost after `lost`, and after `silent` nothing more comes."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for line in self._lines:
            if line == "lost":
                raise httpx.ReadError("the connection was lost")
            if line == "silent":
                await asyncio.sleep(60)
            yield line.encode()


def event(done: int, event_id: str, state: str = "indexing") -> str:
    return f"event: {state}\nid: {event_id}\ndata: {json.dumps({'done': done, 'total': 4, 'state': state})}\n\n"


def status(done: int, state: str = "indexing") -> Step:
    return {"done": done, "total": 4, "status": state, "counts": {"indexed": done, "failed": 0}, "errors": []}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.following._FIRST_PAUSE_S", 0.01)


async def told_by(service: Told, patience: Patience | None = None) -> list[int]:
    async with connected("http://demo", service) as client:
        return [standing["done"] async for standing in progress(client, "PGM_1", patience)]


async def test_a_stream_tells_each_step_and_the_status_is_asked_for_once() -> None:
    service = Told(
        ["retry: 3000\n\n", ": still here\n\n", event(0, "a"), event(2, "b"), event(4, "c", "indexed")],
        statuses=[status(4, "indexed")],
    )
    assert await told_by(service) == [0, 2, 4, 4]
    assert (service.asked, service.last_ids) == (1, [None])


async def test_a_stream_that_breaks_off_goes_on_after_the_last_event() -> None:
    service = Told(
        [event(0, "a"), event(1, "b"), "lost"],
        [event(3, "c"), event(4, "d", "indexed")],
        statuses=[status(2), status(4, "indexed")],
    )
    assert await told_by(service) == [0, 1, 2, 3, 4, 4]
    assert service.last_ids == [None, "b"]


@pytest.mark.parametrize("refusal", [404, 503, 500])
async def test_where_no_stream_is_to_be_had_the_status_is_asked_for(refusal: int) -> None:
    service = Told(refusal, refusal, refusal, statuses=[status(0), status(2), status(4, "failed")])
    assert await told_by(service) == [0, 2, 4]


async def test_a_stream_that_a_proxy_holds_back_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entrypoints.cli.following._BEGINS_WITHIN_S", 0.05)
    service = Told(["silent"], statuses=[status(4, "indexed")])
    assert await told_by(service) == [4]


async def test_events_that_are_none_are_passed_over() -> None:
    service = Told(
        ["data: {\n\n", 'id: x\ndata: ["done"]\n\n', "event: deleted\ndata: {}\n\n", event(4, "c", "indexed")],
        statuses=[status(4, "indexed")],
    )
    assert await told_by(service) == [4, 4]


async def test_a_short_outage_is_sat_out_and_a_long_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await told_by(Told(statuses=[500, 500, status(4, "indexed")])) == [4]
    monkeypatch.setattr("entrypoints.cli.following._OUTAGE_S", 0.0)
    with pytest.raises(NoServiceError):
        await told_by(Told(statuses=[500]))


async def test_a_program_that_is_deleted_meanwhile_is_told() -> None:
    with pytest.raises(RefusedError):
        await told_by(Told(['event: deleted\ndata: {"pgm_id": "PGM_1"}\n\n'], statuses=[404]))


@pytest.mark.parametrize(
    ("patience", "what"),
    [(Patience(standstill_s=0.05), "stands still: 1"), (Patience(longest_s=0.05), "still being indexed: 1")],
)
@pytest.mark.parametrize("streams", [[], [[event(1, "a"), "silent"]]])
async def test_nobody_waits_for_ever(patience: Patience, what: str, streams: list[Sequence[str]]) -> None:
    with pytest.raises(TimedOutError, match=what):
        await told_by(Told(*streams, statuses=[status(1)]), patience)


def test_an_upload_that_is_waited_for_too_long_exits_5_and_stays_accepted(background: Service) -> None:
    result = upload(runner(background), background, "--timeout", "0.1", "--json")
    assert result.exit_code == 5
    assert answered(result)["program"]["pgm_id"] == "PGM_1"
    assert answered(result)["indexing"] is None
    assert "PGM_1 stays accepted and is indexed all the same: `ladderbase status PGM_1`" in result.stderr
    assert list(background.registry.committed.programs) == ["PGM_1"]


class Interrupting(httpx.AsyncBaseTransport):
    """Has Ctrl-C pressed where a request ends so."""

    def __init__(self, service: httpx.AsyncBaseTransport, *, at: str) -> None:
        self._service = service
        self._at = at

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(self._at):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        return await self._service.handle_async_request(request)


def interrupted(service: Service, *, at: str) -> Run:
    return runner(service, lambda transport: Interrupting(transport, at=at))


def test_ctrl_c_while_waiting_says_that_the_program_stays_and_how_to_look(service: Service) -> None:
    result = upload(interrupted(service, at="/events"), service)
    assert result.exit_code == 130
    assert "registered PGM_1" in result.stdout
    assert result.stderr.splitlines()[-2:] == [
        "PGM_1 stays accepted and is indexed all the same: `ladderbase status PGM_1` tells how far it is",
        "interrupted",
    ]


def test_ctrl_c_while_sending_says_how_to_find_out(service: Service) -> None:
    result = upload(interrupted(service, at="/v1/programs"), service)
    assert (result.exit_code, result.stdout) == (130, "")
    assert "`ladderbase ls`" in result.stderr


def test_a_pipe_is_told_in_plain_lines(service: Service) -> None:
    result = upload(runner(service), service)
    assert "\x1b" not in result.output
    sending, *indexing = result.stderr.splitlines()
    assert sending.startswith("sending ")
    assert indexing[-1] == "indexing 4 of 4"


def test_a_terminal_is_shown_a_bar_and_no_colours_where_it_wants_none(service: Service) -> None:
    shown = upload(runner(service), service, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b[" in shown.stderr
    assert "━" in shown.stderr
    plain = runner(service)("status", "PGM_1", env={"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b[3" not in plain.stdout


@pytest.fixture
def notes(tmp_path: Path) -> str:
    (tmp_path / "점검.md").write_bytes(MARKDOWN)
    return str(tmp_path / "점검.md")


def test_a_further_document_is_attached_and_waited_for(service: Service, notes: str) -> None:
    run = runner(service)
    upload(run, service)
    result = run("attach", "PGM_1", notes, "--title", "점검표")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("searchable: PGM_1-r0-0001 (점검.md), ")
    assert run("search", "Press the reset button").exit_code == 0
    assert answered(run("attach", "PGM_1", notes, "--no-wait", "--json"))["document"]["title"] == ""


def test_a_document_that_is_refused_says_why(service: Service, tmp_path: Path) -> None:
    run = runner(service)
    upload(run, service)
    (tmp_path / "a.exe").write_bytes(b"MZ")
    result = run("attach", "PGM_1", str(tmp_path / "a.exe"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "a.exe" in result.stderr
    assert run("attach", "PGM_1", str(tmp_path / "none.md")).exit_code == 2


def test_attaching_may_be_given_up_as_an_upload_may(background: Service, notes: str) -> None:
    asyncio.run(background.register())
    result = runner(background)("attach", "PGM_1", notes, "--timeout", "0.1", "--json")
    assert (result.exit_code, answered(result)["document"]["state"]) == (5, "pending")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []

    async def pause(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("entrypoints.cli.service.pause", pause)
    return slept


@pytest.mark.parametrize("words", [["status"], ["search", "X0"]])
def test_what_may_be_repeated_waits_as_the_service_asks_and_says_so(
    service: Service, slept: list[float], words: list[str]
) -> None:
    upload(runner(service), service)
    result = runner(service, lambda transport: Busy(transport, times=1, wait_s="7"))(*words)
    assert (result.exit_code, slept) == (0, [7.0])
    assert "too many; asked again in 7 s" in result.stderr


@pytest.mark.parametrize(("wait_s", "waits"), [("7200", []), ("20", [20.0]), ("0", []), ("soon", [])])
def test_nobody_waits_longer_than_half_a_minute_in_all(
    service: Service, slept: list[float], wait_s: str, waits: list[float]
) -> None:
    result = runner(service, lambda transport: Busy(transport, times=9, wait_s=wait_s))("status")
    assert (result.exit_code, slept) == (3, waits)


def test_what_may_not_be_repeated_is_not(service: Service, slept: list[float]) -> None:
    upload(runner(service), service)
    result = runner(service, lambda transport: Busy(transport, times=1, wait_s="1"))("retry", "PGM_1")
    assert (result.exit_code, slept) == (3, [])
