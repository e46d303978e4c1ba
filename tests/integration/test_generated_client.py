"""A client that a generator makes of the OpenAPI document works with the service that serves it."""

import importlib
import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from builders.product import Program, a_product, drop_collections
from builders.uploads import CONVEYOR, archive_of, ladder_csv, template_of

pytestmark = pytest.mark.timeout(300)

PACKAGE = "ladderbase_client"
# The generator knows no ZIP: it is a file like others. Nothing is run over what it makes.
CONFIGURATION = "content_type_overrides:\n  application/zip: application/octet-stream\npost_hooks: []\n"
WITHIN_S = 90.0


@pytest.fixture
def api(database_url: str, redis_url: str, milvus_uri: str, tmp_path: Path) -> Iterator[Program]:
    """An API beside a worker; what they put into Milvus is gone afterwards."""
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}
    alias = f"test_{uuid4().hex[:12]}"
    with a_product(tmp_path, **servers, MILVUS_COLLECTION_NAME=alias, EMBEDDING_MODEL="embedded") as product:
        api = product.api()
        product.worker()
        yield api
    drop_collections(milvus_uri, alias)


@pytest.fixture
def generated(api: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's package, made of the document that the API serves, importable."""
    document, configuration = tmp_path / "openapi.json", tmp_path / "generator.yaml"
    until(lambda: _answers(api), "the API does not answer")
    document.write_bytes(httpx.get(f"{api.url}/schema/openapi.json", trust_env=False).raise_for_status().content)
    configuration.write_text(CONFIGURATION)
    options = ["--path", document, "--config", configuration, "--output-path", tmp_path / PACKAGE, "--meta", "none"]
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / PACKAGE


@pytest.fixture
def resources() -> Iterator[ExitStack]:
    """What is closed after the test."""
    with ExitStack() as stack:
        yield stack


def test_a_generated_client_uploads_polls_searches_lists_changes_downloads_and_deletes(
    api: Program, generated: Path, resources: ExitStack
) -> None:
    models, types = _load("models"), _load("types")
    client = _load("client").Client(base_url=api.url, httpx_args={"trust_env": False})
    resources.enter_context(client)

    def ask(operation: str, *path: str, **arguments: Any) -> Any:  # noqa: ANN401 - nobody knows it before it is made
        (module,) = generated.glob(f"api/*/{operation}.py")
        answer = _load(f"api.{module.parent.name}.{operation}").sync_detailed(*path, client=client, **arguments)
        assert answer.status_code < 300, (operation, answer.content)
        return answer

    form = models.RegisterProgramBody(
        pgm_ladder_zip_file=types.File(io.BytesIO(archive_of({"0000_11": CONVEYOR})), "라인.zip", "application/zip"),
        pgm_template_file=types.File(io.BytesIO(template_of([("0", "이송부", "", "0000_11", "정지")])), "틀.xlsx"),
        pgm_name="도장 라인",
        create_user="김철수",
    )
    registered = ask("register_program", body=form, idempotency_key="a-generated-one").parsed
    pgm_id = registered.pgm_id
    assert [document.logic_id for document in registered.documents][-1] == "0000_11"

    until(lambda: ask("get_indexing", pgm_id).parsed.status == "indexed", "it is not indexed")
    asked = models.SearchRequest(query="컨베이어 정지", pgm_id=pgm_id)
    assert ask("search_rungs", body=asked).parsed.hits[0].logic_id == "0000_11"

    day, by_name = registered.create_dt.replace(hour=0), models.ProgramSort.NAME
    page = ask("list_programs", name="라인", create_user="김철수", created_from=day, sort=by_name, total=True).parsed
    assert ([program.pgm_id for program in page.items], page.total) == ([pgm_id], 1)
    assert ask("get_statistics").parsed.total_programs == 1

    read = ask("get_program", pgm_id)
    change = models.AmendRequest(notes="센서 교체")
    changed = ask("amend_program", pgm_id, body=change, if_match=read.headers["etag"])
    assert (changed.parsed.notes, changed.parsed.pgm_name) == ("센서 교체", "도장 라인")

    with zipfile.ZipFile(ask("download_program", pgm_id).parsed.payload) as archive:
        assert archive.read("ladder_files/0000_11.csv") == ladder_csv(CONVEYOR)
    ladder = registered.documents[-1].document_id
    part = ask("get_content", ladder, range_="bytes=0-9")
    assert (part.status_code, part.parsed.payload.read()) == (206, ladder_csv(CONVEYOR)[:10])

    deleted = ask("delete_programs", body=models.DeleteProgramsRequest(pgm_ids=[pgm_id])).parsed
    assert [item.result for item in deleted.items] == ["deleted"]
    assert ask("list_programs").parsed.items == []


def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds, asking ten times a second."""
    give_up_at = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < give_up_at, otherwise
        time.sleep(0.1)


def _answers(api: Program) -> bool:
    assert api.process.poll() is None, api.said
    try:
        return httpx.get(f"{api.url}/readyz", timeout=10, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _load(module: str) -> Any:  # noqa: ANN401 - as above
    return importlib.import_module(f"{PACKAGE}.{module}")
