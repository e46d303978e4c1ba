"""The whole product as a user runs it: `ladderbase run`, real servers, real files, and workers that die."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import httpx
import pytest
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from builders.further import OF_EACH_KIND
from builders.real_samples import SAMPLES, real_ladders
from builders.uploads import COLUMNS, CONVEYOR, DOOR, archive_of, template_of
from entrypoints.embedded.ports import free_port
from real_processes import command_line, descendants_of, lives

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.timeout(300)


class RunningService:
    """`ladderbase run` in a process of its own, and its back doors."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rsplit(":", 1)[1]
        with (folder / "run.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "entrypoints.cli.main", "run", "--port", port, "--data-dir", str(self.data)],
                env={**os.environ, "WEBHOOK_ALLOW_PRIVATE": "true"},
                stdout=log,
                stderr=log,
            )
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        _until(self._answers_ready, within_s=120)

    def end(self) -> None:
        """Stop it as an operator would; nothing may be left."""
        started = [self._process.pid, *descendants_of(self._process.pid)]
        self.client.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        _until(lambda: not any(map(lives, started)), within_s=10)

    def kill(self, module: str) -> None:
        """kill -9 of one component."""
        (victim,) = (pid for pid in descendants_of(self._process.pid) if f"-m {module}" in command_line(pid))
        os.kill(victim, signal.SIGKILL)

    def setting(self, name: str) -> str:
        """What the worker was told, such as where a server listens."""
        return self.environment()[name]

    def environment(self) -> dict[str, str]:
        """All that the worker was told."""
        (worker,) = (pid for pid in descendants_of(self._process.pid) if "-m entrypoints.worker" in command_line(pid))
        words = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
        return dict(word.split("=", 1) for word in words if "=" in word)

    def upload(self, archive: bytes, template: bytes, comments: bytes = b"") -> httpx.Response:
        """POST /v1/programs."""
        files = {"pgm_ladder_zip_file": ("ladder.zip", archive), "pgm_template_file": ("template.xlsx", template)}
        if comments:
            files["pgm_comment_file"] = ("comment.csv", comments)
        return self.client.post("/v1/programs", data={"pgm_name": "시험", "create_user": "kim"}, files=files)

    def upload_many(self) -> str:
        """A program that keeps the worker busy for some seconds: 200 logics, in several events."""
        logics = {f"{n:04d}_11": CONVEYOR.replace("M10", f"M{n}") * 4 for n in range(200)}
        answer = self.upload(
            archive_of(logics), template_of([("0", "이송부", "", logic_id, "L") for logic_id in logics])
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pgm_id"])

    def progress(self, pgm_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/v1/programs/{pgm_id}/indexing").raise_for_status().json()
        return answer

    def until_some_is_indexed(self, pgm_id: str) -> None:
        _until(lambda: self.progress(pgm_id)["counts"]["indexed"] > 0, within_s=60)
        assert self.progress(pgm_id)["counts"]["indexed"] < 201, "the upload is too small to be met in the middle"

    def until_indexed(self, pgm_id: str, *, within_s: float = 120) -> dict[str, Any]:
        _until(lambda: self.progress(pgm_id)["status"] != "indexing", within_s=within_s)
        return self.progress(pgm_id)

    def followed(self, pgm_id: str, *, after: str = "") -> list[tuple[str, str]]:
        """The states that a stream tells until it ends, each with its id."""
        headers = {"Last-Event-ID": after} if after else {}
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False, headers=headers) as client:
            events = client.get(f"/v1/programs/{pgm_id}/indexing/events").text.split("\n\n")
        fields = [dict(line.split(": ", 1) for line in event.splitlines()) for event in events]
        return [(each["event"], each["id"]) for each in fields if "event" in each]

    def search(self, query: str, **scope: str) -> list[dict[str, Any]]:
        answer = self.client.post("/v1/search", json={"query": query, **scope})
        hits: list[dict[str, Any]] = answer.raise_for_status().json()["hits"]
        return hits

    def audit(self) -> tuple[int, str]:
        """The exit code of `ladderbase audit`, and what it complains of."""
        words = [sys.executable, "-m", "entrypoints.cli.main", "audit", "--json"]
        audited = subprocess.run(words, env=self.environment(), capture_output=True, timeout=60, check=False)
        return audited.returncode, audited.stderr.decode()

    async def chunk_ids(self, pgm_id: str) -> tuple[list[str], list[str]]:
        """What Postgres recorded and what Milvus holds, sorted."""
        connection = await asyncpg.connect(self.setting("DATABASE_URL"))
        try:
            rows = await connection.fetch("SELECT chunk_id FROM chunks WHERE document_id LIKE $1", f"{pgm_id}-%")
        finally:
            await connection.close()
        return sorted(row["chunk_id"] for row in rows), sorted(self._ids_in_milvus(pgm_id))

    def _ids_in_milvus(self, pgm_id: str) -> list[str]:
        client = MilvusClient(
            uri=self.setting("MILVUS_URI"), timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS)
        )
        try:
            found = client.query("ladderbase", filter=f'pgm_id == "{pgm_id}"', output_fields=["chunk_id"])
        finally:
            client.close()
        return [row["chunk_id"] for row in found]

    def _answers_ready(self) -> bool:
        assert self._process.poll() is None, "the service did not come up"
        try:
            return self.client.get("/readyz").is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("service"))
    try:
        yield running
    finally:
        running.end()


def _until(holds: Callable[[], bool], *, within_s: float) -> None:
    give_up_at = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up_at, f"not within {within_s} s"
        time.sleep(0.05)


def _example(name: str) -> tuple[bytes, bytes, bytes]:
    folder = EXAMPLES / name
    return tuple((folder / file).read_bytes() for file in ("ladder.zip", "template.xlsx", "comment.csv"))  # type: ignore[return-value] # three names


async def test_a_program_is_registered_indexed_found_and_deleted(service: RunningService) -> None:
    archive, template, comments = _example("cell-line")
    registered = service.upload(archive, template, comments)
    assert registered.status_code == 201, registered.text
    pgm_id = registered.json()["pgm_id"]
    assert registered.headers["Location"].endswith(f"/v1/programs/{pgm_id}")
    assert service.until_indexed(pgm_id)["status"] == "indexed"

    (device, *_) = service.search("M101", pgm_id=pgm_id)
    assert "M101" in device["ladder"]
    assert any("토크" in hit["title"] for hit in service.search("토크가 상한을 넘으면 어떻게 되나", pgm_id=pgm_id)[:3])
    english = service.search("how many times is the barcode read again", pgm_id=pgm_id)[:3]
    assert any("재시도 횟수 초과" in hit["title"] for hit in english)
    in_postgres, in_milvus = await service.chunk_ids(pgm_id)
    assert in_postgres == in_milvus
    assert len(in_postgres) > 200

    documents = service.client.get(f"/v1/programs/{pgm_id}/documents").json()["items"]
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        for document in (each for each in documents if each["document_type"] == "PGM_LADDER_CSV"):
            content = service.client.get(f"/v1/documents/{document['document_id']}/content").content
            assert content == members.read(f"{document['logic_id']}.csv")

    assert service.client.delete(f"/v1/programs/{pgm_id}").status_code == 204
    assert service.search("M101", pgm_id=pgm_id) == []
    assert service.client.get(f"/v1/programs/{pgm_id}").status_code == 404
    blobs = service.data / "blobs" / "objects" / "programs" / pgm_id
    _until(lambda: not blobs.exists(), within_s=30)
    for _ in range(100):  # the rows go last
        if (left := await service.chunk_ids(pgm_id)) == ([], []):
            break
        await asyncio.sleep(0.1)
    assert left == ([], [])


def test_the_api_and_the_worker_tell_their_metrics_on_loopback(service: RunningService) -> None:
    assert "ladderbase_http_request_seconds_bucket" in service.client.get("/metrics").raise_for_status().text
    worker = f"http://127.0.0.1:{service.setting('WORKER_METRICS_PORT')}/metrics"
    assert "ladderbase_record_up 1.0" in httpx.get(worker, timeout=10, trust_env=False).raise_for_status().text


async def test_further_documents_of_each_kind_are_found_in_both_languages_and_removed(service: RunningService) -> None:
    registered = service.upload(archive_of({"0000_11": DOOR}), template_of([("0", "문", "", "0000_11", "L")]))
    pgm_id = registered.json()["pgm_id"]
    documents = f"/v1/programs/{pgm_id}/documents"
    added = {
        name: service.client.post(documents, files={"file": (name, content)}).raise_for_status().json()["document_id"]
        for name, content in OF_EACH_KIND.items()
    }
    progress = service.until_indexed(pgm_id)
    assert (progress["status"], progress["errors"]) == ("indexed", [])
    scope = {"pgm_id": pgm_id, "document_type": "PGM_FURTHER_DOCUMENT"}
    for name, query, place in (
        ("점검.md", "비상 정지 X0", "펌프 점검"),
        ("notes.txt", "spindle chiller", ""),
        ("알람.csv", "Motor overload", "rows 5-6"),
        ("펌프.xlsx", "예비 급수 유량", "펌프, rows 6-7"),
        ("예비품.xls", "베어링", "Sheet1, rows 2-3"),
        ("manual.pdf", "냉각수 밸브", "page 1"),
    ):
        found = [(hit["document_id"], hit["title"]) for hit in service.search(query, **scope)[:3]]
        assert (added[name], ", ".join(filter(None, (name, place)))) in found
    in_postgres, in_milvus = await service.chunk_ids(pgm_id)
    assert in_postgres == in_milvus

    for document_id in added.values():
        assert service.client.delete(f"{documents}/{document_id}").status_code == 204
    assert service.search("Motor overload", **scope) == []
    blobs = service.data / "blobs" / "objects" / "programs" / pgm_id
    _until(lambda: [folder.name for folder in blobs.iterdir()] == ["r1"], within_s=30)
    in_postgres, in_milvus = await service.chunk_ids(pgm_id)
    assert in_postgres == in_milvus
    assert service.audit() == (0, "found: no drift\n")


async def test_files_that_came_back_from_excel_are_read_as_what_they_are(service: RunningService) -> None:
    registered = service.upload(*_example("cell-line-resaved"))
    assert registered.status_code == 201, registered.text
    ladders = [each for each in registered.json()["documents"] if each["document_type"] == "PGM_LADDER_CSV"]
    assert {(each["encoding"], each["delimiter"]) for each in ladders} == {("cp949", "comma")}
    assert service.until_indexed(registered.json()["pgm_id"])["status"] == "indexed"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the folder of real exports is not on this machine")
def test_every_real_ladder_file_is_registered_in_one_program(service: RunningService) -> None:
    contents = {f"{number:03d}": content for number, (_, content) in enumerate(real_ladders())}
    template = template_of([("0", "samples", "", logic_id, "real export") for logic_id in contents])
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for logic_id, content in contents.items():
            archive.writestr(f"{logic_id}.csv", content)
    registered = service.upload(buffer.getvalue(), template)
    assert registered.status_code == 201, registered.text
    documents = service.until_indexed(registered.json()["pgm_id"])
    assert documents["counts"]["indexed"] == len(contents) + 1
    assert len(contents) > 250


def test_twenty_streams_tell_an_indexing_and_a_webhook_that_was_away_is_told_afterwards(
    service: RunningService,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    added = service.client.post("/v1/webhooks", json={"url": url, "kinds": ["registered", "indexed"]})
    assert added.status_code == 201, added.text
    pgm_id = service.upload_many()
    with ThreadPoolExecutor(20) as clients:
        told = list(clients.map(lambda _: service.followed(pgm_id), range(20)))
    assert {tuple(dict.fromkeys(state for state, _ in events))[-2:] for events in told} == {("indexing", "indexed")}
    first_id, last_id = told[0][0][1], told[0][-1][1]
    assert [state for state, _ in service.followed(pgm_id, after=first_id)][-1] == "indexed"
    assert service.followed(pgm_id, after=last_id) == []
    heard: list[tuple[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append((body["kind"], self.headers["webhook-id"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as receiver:
        Thread(target=receiver.serve_forever, daemon=True).start()
        _until(lambda: {kind for kind, _ in heard} == {"registered", "indexed"}, within_s=90)
        receiver.shutdown()
    assert len({delivery_id for _, delivery_id in heard}) == 2
    assert service.client.delete(added.headers["location"]).status_code == 204


async def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_doubles_nothing(service: RunningService) -> None:
    pgm_id = service.upload_many()
    service.until_some_is_indexed(pgm_id)
    service.kill("entrypoints.worker")
    assert service.until_indexed(pgm_id)["counts"]["indexed"] == 201
    in_postgres, in_milvus = await service.chunk_ids(pgm_id)
    assert in_postgres == in_milvus
    assert len(in_postgres) == 200 * 8 + 200


def test_a_wrong_upload_gets_every_problem_at_once_and_leaves_nothing(service: RunningService) -> None:
    before = service.client.get("/v1/programs").json()["items"]
    blobs = sorted(path for path in (service.data / "blobs").rglob("*") if path.is_file())
    archive = archive_of({"0000_11": CONVEYOR, "0001_11": DOOR, "spare": DOOR})
    with zipfile.ZipFile(buffer := io.BytesIO(archive), "a") as members:
        members.writestr("label.csv", "Class,Label Name\r\nVAR,DI_Start\r\n")
    rows = [
        ("0", "이송부", "", "0000_11", "CV1"),
        ("0", "이송부", "", "0000_11", "CV1 again"),
        ("0", "이송부", "", "", "nameless"),
        ("0", "이송부", "", "0001_12", "missing, nearly there"),
        ("0", "이송부", "", "label", "no ladder"),
    ]
    refused = service.upload(buffer.getvalue(), template_of(rows))
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    findings = {(each["code"], each["row"]): each for each in refused.json()["findings"] if each["severity"] == "error"}
    assert set(findings) == {
        ("logic_id_duplicate", 3),
        ("logic_id_blank", 4),
        ("logic_csv_missing", 5),
        ("not_a_ladder", 1),
    }
    assert "0001_11" in findings["logic_csv_missing", 5]["hint"]
    assert findings["not_a_ladder", 1]["file"] == "label.csv"
    assert all(each["file"] and each["message"] and each["hint"] for each in findings.values())
    assert service.client.get("/v1/programs").json()["items"] == before
    assert sorted(path for path in (service.data / "blobs").rglob("*") if path.is_file()) == blobs


@pytest.mark.parametrize(
    ("archive", "template", "code"),
    [
        (b"PK\x03\x04 and nothing more", template_of([("0", "f", "", "0000_11", "L")]), "zip_corrupt"),
        (
            archive_of({"0000_11": DOOR}),
            template_of([("0", "f", "", "L")], COLUMNS[:3] + COLUMNS[4:]),
            "header_invalid",
        ),
    ],
)
def test_a_corrupt_archive_and_a_template_without_a_column_are_named(
    service: RunningService, archive: bytes, template: bytes, code: str
) -> None:
    refused = service.upload(archive, template)
    assert refused.status_code == 422
    assert code in {each["code"] for each in refused.json()["findings"]}
