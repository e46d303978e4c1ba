"""What holds for every answer: ids, problems, no leaks, health, the OpenAPI document."""

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.unit_of_work import Transaction, UnitOfWork
from domain.ports.upload_reader import UploadReader
from domain.search import Lane
from domain.upload import InspectedUpload, Upload
from entrypoints.api.app import create_app
from fakes.vector_index import InMemoryVectorIndex

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/schema/nowhere", 404, "not_found"),
        ("GET", "/v1/search", 405, "method_not_allowed"),
        ("PUT", "/v1/programs", 405, "method_not_allowed"),
    ],
)
async def test_errors_of_the_framework_are_problems_too(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["request_id"] == answer.headers["x-request-id"]
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/v1/programs/PGM_9", {}, 404),
        ("DELETE", "/v1/search", {}, 405),
        ("POST", "/v1/search", {"Content-Length": "99999999"}, 413),
        ("POST", "/v1/programs", {"Content-Type": "text/csv"}, 415),
        ("POST", "/v1/search", {"Content-Encoding": "br"}, 415),
        ("GET", "/v1/programs?limit=0", {}, 422),
        ("POST", "/v1/programs/validate", {}, 500),
        ("POST", "/v1/search", {}, 503),
    ],
)
async def test_every_refusal_is_a_problem_with_the_id_of_its_request(
    service: Service, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    service.container.upload_reader.override(BrokenReader())
    service.container.index.override(SilentIndex())
    files = {"pgm_ladder_zip_file": ("a.zip", b"x"), "pgm_template_file": ("t.xlsx", b"x")}
    sent: dict[str, Any] = {"files": files} if status == 500 else {"json": {"query": "M1"}} if status == 503 else {}
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.request(method, path, headers=headers, **sent)
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"urn:ladderbase:problem:{body['code']}",
    )
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]


async def test_a_sane_request_id_is_kept(client: Client) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": "trace-1.2:3"})
    assert answer.headers["x-request-id"] == "trace-1.2:3"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "<script>"])
async def test_an_odd_request_id_is_replaced(client: Client, sent: str) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": sent})
    assert answer.headers["x-request-id"] not in {"", sent}


class SilentIndex(InMemoryVectorIndex):
    async def lanes(self) -> frozenset[Lane]:
        raise UnavailableError("milvus", "no answer")


class BrokenReader(UploadReader):
    async def inspect(self, upload: Upload) -> InspectedUpload:
        raise RuntimeError("SELECT secret FROM /etc/passwd")


async def test_a_bug_is_told_to_the_log_alone(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    service.container.upload_reader.override(BrokenReader())
    files = {"pgm_ladder_zip_file": ("a.zip", b"x"), "pgm_template_file": ("t.xlsx", b"x")}
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.post("/v1/programs/validate", files=files)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "SELECT secret" in caplog.text
    assert answer.json()["request_id"] in caplog.text


async def test_a_request_is_one_log_line_without_its_address(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ladderbase.access")
    await client.get("/v1/programs/PGM_77?token=secret", headers={"X-Request-Id": "abc"})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "ladderbase.access"]
    assert line.startswith("request method=GET path=/v1/programs/{pgm_id} status=404 ms=")
    assert line.endswith("request_id=abc")


async def test_unknown_paths_are_logged_as_one(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ladderbase.access")
    await client.get("/some/random/path")
    assert "path=unknown status=404" in caplog.text


class SilentRecord(UnitOfWork):
    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        raise UnavailableError("postgres", "no connection")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/programs", 503), ("PUT", "/v1/programs/PGM_1/files", 503), ("POST", "/v1/programs/validate", 422)],
)
async def test_an_upload_that_cannot_be_recorded_is_refused_before_it_is_read(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    """A dry run is not recorded."""
    service = await a_service(tmp_path)
    service.container.unit_of_work.override(providers.Object(SilentRecord()))
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for piece in (b"--x-", b"-\r\n"):
            read.append(piece)
            yield piece

    transport = ASGITransport(create_app(service.container))  # type: ignore[arg-type]  # ASGI by another name
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await client.request(method, path, content=body(), headers=headers)
    assert answer.status_code == status
    assert bool(read) == (status != 503)
    assert ("Retry-After" in answer.headers) == (status == 503)


async def test_health_asks_nothing(client: Client) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_when_nothing_is_waited_for(client: Client) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "waiting_for": [], "notices": []})


async def test_not_ready_says_what_it_waits_for(tmp_path: Path) -> None:
    async def down() -> None:
        raise UnavailableError("milvus", "no answer")

    async def wrong() -> None:
        raise MisconfiguredError("the schema is old")

    checks = {"milvus": down, "postgres": wrong, "worker": fine}
    service = await a_service(tmp_path, readiness_checks=checks)
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "waiting",
        "waiting_for": [
            {"dependency": "milvus", "reason": "unavailable"},
            {"dependency": "postgres", "reason": "misconfigured"},
        ],
        "notices": [],
    }


async def fine() -> None:
    pass


async def down() -> None:
    raise UnavailableError("any", "no answer")


@pytest.mark.parametrize(
    ("away", "ready_for"),
    [
        ("postgres", []),
        ("blob store", ["search"]),
        ("scratch disk", ["search"]),
        ("milvus", ["uploads"]),
        ("embedder", ["uploads"]),
        ("worker", ["uploads", "search"]),
    ],
)
async def test_a_part_waits_for_its_own_dependencies_alone(tmp_path: Path, away: str, ready_for: list[str]) -> None:
    names = ("postgres", "worker", "milvus", "embedder", "blob store", "scratch disk")
    service = await a_service(tmp_path, readiness_checks={name: down if name == away else fine for name in names})
    async with AsyncTestClient(create_app(service.container)) as client:
        answers = {part: await client.get("/readyz", params={"for": part}) for part in ("uploads", "search", "all")}
    assert [part for part, answer in answers.items() if answer.status_code == 200] == ready_for
    assert answers["all"].json()["waiting_for"] == [{"dependency": away, "reason": "unavailable"}]


async def test_a_dependency_that_is_limited_is_ready_and_says_so(tmp_path: Path) -> None:
    async def limited() -> str:
        return "the lexical lane is off"

    service = await a_service(tmp_path, readiness_checks={"milvus": limited, "postgres": fine})
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.get("/readyz")
    notice = {"dependency": "milvus"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "waiting_for": [], "notices": [notice]})


@pytest.mark.parametrize("part", ["", "everything", "ALL"])
async def test_a_part_that_nobody_knows_is_refused(client: Client, part: str) -> None:
    answer = await client.get("/readyz", params={"for": part})
    assert (answer.status_code, answer.json()["findings"][0]["field"]) == (422, "for")


async def test_the_version_is_told(client: Client) -> None:
    body = (await client.get("/version")).json()
    assert body["name"] == "ladderbase"
    assert body["version"]


async def test_the_openapi_document_describes_every_route_and_its_problems(client: Client) -> None:
    document: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = {
        operation["operationId"]: operation for methods in document["paths"].values() for operation in methods.values()
    }
    assert set(operations) == {
        "register_program",
        "replace_files",
        "validate_upload",
        "list_programs",
        "get_program",
        "list_documents",
        "get_template",
        "get_indexing",
        "amend_program",
        "follow_indexing",
        "delete_program",
        "delete_programs",
        "download_program",
        "get_document",
        "get_content",
        "add_document",
        "remove_document",
        "head_content",
        "get_statistics",
        "search_rungs",
        "get_operations",
        "list_failures",
        "list_devices",
        "list_uses",
        "get_warnings",
        "gather_context",
        "get_rung",
        "retry_program",
        "retry_everywhere",
        "add_webhook",
        "list_webhooks",
        "change_webhook",
        "rotate_webhook_secret",
        "remove_webhook",
        "health",
        "readiness",
        "version",
        "metrics",
    }
    for name, operation in operations.items():
        for status, response in operation["responses"].items():
            if int(status) >= 400 and (name, status) != ("readiness", "503") and name != "head_content":
                assert list(response["content"]) == ["application/problem+json"], (name, status)


async def test_the_openapi_document_names_the_files_of_an_upload(client: Client) -> None:
    document: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    form = document["paths"]["/v1/programs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    # Nobody who sends a key has to say who they are.
    assert set(form["required"]) == {"pgm_ladder_zip_file", "pgm_template_file", "pgm_name"}
    assert "pgm_comment_file" in form["properties"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/healthz", {}, 200),
        ("GET", "/v1/programs", {}, 200),
        ("GET", "/schema/openapi.json", {}, 200),
        ("GET", "/nowhere", {}, 404),
        ("PUT", "/v1/programs", {}, 405),
        ("POST", "/v1/search", {"Content-Length": "99999999"}, 413),
        ("POST", "/v1/programs", {}, 415),
        ("POST", "/v1/search", {}, 422),
        ("OPTIONS", "/v1/programs", {}, 204),
    ],
)
async def test_every_answer_has_its_id_and_the_headers_of_one_that_is_no_page(
    client: Client, method: str, path: str, sent: dict[str, str], status: int
) -> None:
    answer = await client.request(method, path, headers={**sent, "X-Request-ID": "trace-7"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "trace-7"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_an_origin_that_is_not_named_may_not_ask(client: Client) -> None:
    headers = {"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"}
    for answer in (await client.options("/v1/search", headers=headers), await client.get("/healthz", headers=headers)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "asked", [{"Origin": "https://evil.example.com"}, {"Access-Control-Request-Headers": "x-other"}]
)
async def test_a_browser_s_question_that_is_refused_is_a_problem(tmp_path: Path, asked: dict[str, str]) -> None:
    service = await a_service(tmp_path, cors_origins=("https://app.example.com",))
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST", "Accept-Language": "ko"}
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.options("/v1/search", headers=headers | asked)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (answer.json()["code"], answer.headers["content-language"]) == ("request_invalid", "ko")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "is_named"),
    [
        ("https://app.example.com", True),
        ("http://app.example.com", False),
        ("https://app.example.com.evil.com", False),
        ("https://appxexample.com", False),
        ("null", False),
    ],
)
async def test_origins_that_are_named_may_ask_without_credentials_of_the_browser(
    tmp_path: Path, origin: str, *, is_named: bool
) -> None:
    service = await a_service(tmp_path, auth_required=True, cors_origins=("https://app.example.com",))
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    async with AsyncTestClient(create_app(service.container)) as client:
        preflight = await client.options("/v1/search", headers={"Origin": origin, **asked})
        answer = await client.post("/v1/search", json={"query": "M1"}, headers={"Origin": origin})
    assert (preflight.status_code, answer.status_code) == (204 if is_named else 400, 401)
    for each in (preflight, answer):
        assert each.headers.get("access-control-allow-origin") == (origin if is_named else None)
        assert "access-control-allow-credentials" not in each.headers
        assert each.headers["x-request-id"]
    assert "Content-Disposition" in answer.headers["access-control-expose-headers"]  # the name of what is downloaded
