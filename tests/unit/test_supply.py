"""What the image ships is told alike to whoever lists it and to whoever audits it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import advisories
from entrypoints.embedded.ports import free_port
from shipped import entries

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-server.lock"
SMALL = r"""a-package==1.0 \
    --hash=sha256:00
other==2.0 ; sys_platform == 'win32' \
    --hash=sha256:11
last==3.0
"""

Answers = Callable[[dict[str, Any]], object]


def test_what_the_image_s_platform_does_not_get_is_not_shipped() -> None:
    assert list(entries(SMALL)) == [
        ("a-package", "1.0", "a-package==1.0 \\\n    --hash=sha256:00"),
        ("last", "3.0", "last==3.0"),
    ]


def test_every_package_is_shipped_once_in_one_version() -> None:
    names = [name for name, version, _ in entries(LOCK.read_text("utf-8")) if version]
    assert {"litestar", "uvicorn", "numpy"} <= set(names)
    assert {"colorama", "tzdata", "pytest"} & set(names) == set()
    assert len(names) == len(set(names))


def test_the_bill_of_materials_names_all_that_is_shipped_and_nothing_of_this_machine(tmp_path: Path) -> None:
    if not (ROOT / ".sbom" / "ready").exists():
        pytest.skip("`make sbom` has not been run here: its tool is no dependency of the tests")
    text = _bill_of_materials(tmp_path)
    assert text == _bill_of_materials(tmp_path)
    assert str(tmp_path) not in text
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {"serialNumber", "timestamp"} & (set(bill) | set(bill["metadata"])) == set()
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["type"]) == (
        "ladderbase",
        "application",
    )
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert listed == {(name, version) for name, version, _ in entries(LOCK.read_text("utf-8"))}
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    hashes = [reference["hashes"] for one in bill["components"] for reference in one["externalReferences"]]
    assert hashes


def _bill_of_materials(folder: Path) -> str:
    lock, bill = folder / "shipped.lock", folder / "sbom.json"
    lock.write_text("".join(f"{entry}\n" for _, _, entry in entries(LOCK.read_text("utf-8"))), "utf-8")
    words = ["requirements", "--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "-o", str(bill)]
    subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", *words, str(lock)],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".sbom")},
        check=True,
        timeout=60,
    )
    return bill.read_text("utf-8")


def test_a_lock_without_a_known_vulnerability_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with _a_service(lambda asked: {"results": [{} for _ in asked["queries"]]}) as url:
        assert _audit(tmp_path, monkeypatch, url) == advisories.NONE
    assert capsys.readouterr().out == "2 packages, 0 known vulnerabilities\n"


def test_each_known_vulnerability_is_named_from_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(asked: dict[str, Any]) -> object:
        if "page_token" in asked["queries"][0]:
            return {"results": [{"vulns": [{"id": "SECOND"}]}]}
        return {"results": [{}, {"vulns": [{"id": "FIRST"}], "next_page_token": "2"}]}

    with _a_service(answer) as url:
        assert _audit(tmp_path, monkeypatch, url) == advisories.SOME
    assert capsys.readouterr().out.splitlines()[:2] == ["last 3.0: FIRST", "last 3.0: SECOND"]


@pytest.mark.parametrize("answer", [{"results": []}, {"nothing": 1}, "no object"])
def test_an_answer_that_is_none_proves_nothing(
    answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with _a_service(lambda _: answer) as url:
        assert _audit(tmp_path, monkeypatch, url) == advisories.UNKNOWN
    assert "nothing was audited" in capsys.readouterr().out


def test_a_service_that_does_not_answer_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert _audit(tmp_path, monkeypatch, url) == advisories.UNKNOWN
    said = capsys.readouterr().out
    assert said == f"no advisory service answers at {url} (ConnectError): nothing was audited\n"


def _audit(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> int:
    (folder / "small.lock").write_text(SMALL)
    monkeypatch.setenv("OSV_URL", url)
    monkeypatch.setenv("NO_PROXY", "*")
    return advisories.main([str(folder / "small.lock")])


@contextmanager
def _a_service(answer: Answers) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
