"""`ladderbase download`: a file is there whole or not at all, and nobody's file is lost."""

import asyncio
import hashlib
import os
import signal
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from builders.command_line import Run, answered, runner, upload
from builders.further import TABLE
from builders.service import Service, a_service

LADDER = "PGM_1-r1-0002"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    (tmp_path / "service").mkdir()
    service = asyncio.run(a_service(tmp_path / "service", hold_events_for=timedelta(minutes=1)))
    upload(runner(service), service, "--name", "라인 1/2")

    async def no_pause(_: float) -> None:
        pass

    monkeypatch.setattr("entrypoints.cli.downloading.pause", no_pause)
    return service


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(service: Service) -> Run:
    return runner(service)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_program_is_one_zip_that_is_called_as_it(run: Run, folder: Path) -> None:
    result = run("download", "PGM_1")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("라인 1_2.zip: ")
    assert names(folder) == ["라인 1_2.zip"]
    with zipfile.ZipFile(folder / "라인 1_2.zip") as archive:
        assert {"ladder_files/0000_11.csv", "template/template.xlsx"} <= set(archive.namelist())


def test_the_zip_as_it_was_uploaded_is_the_same_bytes(run: Run, folder: Path, service: Service) -> None:
    told = answered(run("download", "PGM_1", "--original", "-o", "line.zip", "--json"))
    content = (folder / "line.zip").read_bytes()
    assert content == service.upload.ladder_zip.path.read_bytes()
    assert told == {
        "pgm_id": "PGM_1",
        "path": "line.zip",
        "name": "ladder.zip",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize("document", [LADDER, "0000_11.csv"])
def test_a_document_is_found_by_its_id_and_by_its_name(run: Run, folder: Path, document: str) -> None:
    (folder / "sub").mkdir()
    result = run("download", "PGM_1", document, "-o", "sub")
    assert result.exit_code == 0, result.output
    assert names(folder / "sub") == ["0000_11.csv"]
    assert b"OUT,M10" in (folder / "sub" / "0000_11.csv").read_bytes()


@pytest.mark.parametrize("document", ["nothing.csv", "PGM_1-r1-0099", "PGM_2-r1-0001"])
def test_a_document_that_is_not_there_is_told(run: Run, folder: Path, document: str) -> None:
    result = run("download", "PGM_1", document)
    assert (result.exit_code, names(folder)) == (1, [])
    assert document in result.stderr


def test_a_name_that_two_documents_have_is_told_with_their_ids(run: Run, folder: Path) -> None:
    (folder / "0000_11.csv").write_text(TABLE)
    run("attach", "PGM_1", "0000_11.csv")
    result = run("download", "PGM_1", "0000_11.csv", "--force")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: PGM_1 has several called 0000_11.csv: name one by its id, PGM_1-r1-0002, PGM_1-r0-0001\n",
    )


@pytest.mark.usefixtures("folder")
def test_a_document_and_the_original_are_two_things(run: Run) -> None:
    assert run("download", "PGM_1", LADDER, "--original").exit_code == 2


def test_a_file_that_is_there_stays_unless_forced(run: Run, folder: Path) -> None:
    (folder / "0000_11.csv").write_text("mine")
    refused = run("download", "PGM_1", LADDER)
    assert (refused.exit_code, (folder / "0000_11.csv").read_text()) == (1, "mine")
    assert "--force" in refused.stderr
    assert "downloading" not in refused.stderr
    assert run("download", "PGM_1", LADDER, "--force").exit_code == 0
    assert b"OUT,M10" in (folder / "0000_11.csv").read_bytes()
    assert names(folder) == ["0000_11.csv"]


class Meanwhile(httpx.AsyncBaseTransport):
    """Somebody else makes the file while it is downloaded."""

    def __init__(self, service: httpx.AsyncBaseTransport, file: Path) -> None:
        self._service = service
        self._file = file

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/content"):
            self._file.write_text("mine")
        return await self._service.handle_async_request(request)


def test_a_file_that_appears_meanwhile_stays_too(service: Service, folder: Path) -> None:
    result = runner(service, lambda transport: Meanwhile(transport, folder / "a.csv"))(
        "download", "PGM_1", LADDER, "-o", "a.csv"
    )
    assert (result.exit_code, names(folder), (folder / "a.csv").read_text()) == (1, ["a.csv"], "mine")
    assert "--force" in result.stderr


def test_a_link_that_leads_nowhere_counts_as_a_file(run: Run, folder: Path) -> None:
    (folder / "0000_11.csv").symlink_to("elsewhere")
    assert run("download", "PGM_1", LADDER).exit_code == 1
    assert names(folder) == ["0000_11.csv"]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_what_is_no_file_is_never_replaced(run: Run, folder: Path, force: list[str]) -> None:
    os.mkfifo(folder / "pipe")
    result = run("download", "PGM_1", LADDER, "-o", "pipe", *force)
    assert (result.exit_code, (folder / "pipe").is_fifo()) == (1, True)


def test_a_folder_that_is_not_there_is_told_in_a_line(run: Run, folder: Path) -> None:
    result = run("download", "PGM_1", LADDER, "-o", "nowhere/a.csv")
    assert (result.exit_code, names(folder)) == (1, [])
    assert result.stderr.splitlines()[-1] == "Error: nowhere/a.csv cannot be written: No such file or directory"


class Broken(httpx.AsyncBaseTransport):
    """Breaks the bodies of files off, so many times; notes the ranges that were asked for."""

    def __init__(self, service: httpx.AsyncBaseTransport, *, times: int, after: int = 10) -> None:
        self._service = service
        self._times = times
        self._after = after
        self.ranges: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._service.handle_async_request(request)
        if not request.url.path.endswith("/content"):
            return answer
        self.ranges.append(request.headers.get("Range"))
        if self._times:
            self._times -= 1
            return httpx.Response(
                answer.status_code, headers=answer.headers, stream=Cut(answer, after=self._after), request=request
            )
        return answer


class Cut(httpx.AsyncByteStream):
    def __init__(self, answer: httpx.Response, *, after: int) -> None:
        self._answer = answer
        self._after = after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = b"".join([piece async for piece in self._answer.aiter_raw()])
        yield content[: self._after]
        raise httpx.RemoteProtocolError("the connection was lost")


def test_a_document_goes_on_where_it_broke_off(service: Service, folder: Path) -> None:
    whole = folder / "whole.csv"
    runner(service)("download", "PGM_1", LADDER, "-o", str(whole))
    broken: list[Broken] = []

    def breaking(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        broken.append(Broken(transport, times=2))
        return broken[-1]

    result = runner(service, breaking)("download", "PGM_1", LADDER)
    assert result.exit_code == 0, result.output
    assert broken[0].ranges == [None, "bytes=10-", "bytes=20-"]
    assert (folder / "0000_11.csv").read_bytes() == whole.read_bytes()


def test_a_zip_that_is_made_as_it_is_sent_begins_anew(service: Service, folder: Path) -> None:
    broken: list[Broken] = []

    def breaking(transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        broken.append(Broken(transport, times=1))
        return broken[-1]

    assert runner(service, breaking)("download", "PGM_1", "-o", "a.zip").exit_code == 0
    assert broken[0].ranges == [None, None]
    with zipfile.ZipFile(folder / "a.zip") as archive:
        assert archive.testzip() is None


def test_what_breaks_off_again_and_again_leaves_nothing(service: Service, folder: Path) -> None:
    result = runner(service, lambda transport: Broken(transport, times=9))("download", "PGM_1", LADDER)
    assert (result.exit_code, names(folder)) == (3, [])
    assert "the connection was lost" in result.stderr


class Altered(httpx.AsyncBaseTransport):
    """Answers other bytes than the service has, of the same length."""

    def __init__(self, service: httpx.AsyncBaseTransport) -> None:
        self._service = service

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._service.handle_async_request(request)
        if not request.url.path.endswith("/content"):
            return answer
        content = bytes(len(b"".join([piece async for piece in answer.aiter_raw()])))
        return httpx.Response(200, headers=answer.headers, stream=httpx.ByteStream(content), request=request)


@pytest.mark.parametrize("document", [[], [LADDER]])
def test_what_came_otherwise_than_it_is_kept_is_not_saved(service: Service, folder: Path, document: list[str]) -> None:
    result = runner(service, Altered)("download", "PGM_1", *document)
    assert (result.exit_code, names(folder)) == (3, [])


class Interrupting(httpx.AsyncBaseTransport):
    """Has the process told to stop in the middle of a file."""

    def __init__(self, service: httpx.AsyncBaseTransport, signal_number: signal.Signals) -> None:
        self._service = service
        self._signal_number = signal_number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._service.handle_async_request(request)
        if request.url.path.endswith("/content"):
            signal.raise_signal(self._signal_number)
            await asyncio.sleep(60)
        return answer


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_it_finds_nothing_half(
    service: Service, folder: Path, signal_number: signal.Signals
) -> None:
    interrupted = runner(service, lambda transport: Interrupting(transport, signal_number))
    result = interrupted("download", "PGM_1", "-o", "a.zip")
    assert (result.exit_code, names(folder)) == (130, [])
    assert result.stderr.splitlines()[-1] == "interrupted"


def test_a_folder_is_not_taken_for_a_file(run: Run, folder: Path) -> None:
    result = run("download", "PGM_1", LADDER, "-o", "new/")
    assert (result.exit_code, names(folder)) == (1, [])
    assert "new/0000_11.csv cannot be written" in result.stderr
