"""Programs over HTTP, over the container that production uses with fakes behind it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from domain.findings import Finding, Section, Severity
from domain.told import told
from entrypoints.api.app import create_app
from fakes.blob_store import UnavailableBlobStore
from fakes.readers import ScriptedUploadReader

Client = AsyncTestClient[Litestar]
DETAILS = {"pgm_name": "셀 라인 3호기", "create_user": "kim", "pgm_version": "1.2", "notes": "첫 줄\n둘째 줄"}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    (tmp_path / "sent").mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return await a_service(tmp_path / "sent", scratch=scratch)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


def files_of(service: Service) -> dict[str, tuple[str, bytes]]:
    return {
        "pgm_ladder_zip_file": ("라인3.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("템플릿.xlsx", service.upload.template.path.read_bytes()),
    }


async def register(client: Client, service: Service, details: Mapping[str, str] = DETAILS) -> Response:
    return await client.post("/v1/programs", data=dict(details), files=files_of(service))


def scratch_of(service: Service) -> list[Path]:
    return list(service.container.scratch().iterdir())


async def test_an_upload_is_answered_with_its_documents_report_and_where_to_ask_on(
    client: Client, service: Service
) -> None:
    answer = await register(client, service)
    body = answer.json()

    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/programs/PGM_1"
    assert body["pgm_id"] == "PGM_1"
    assert body["pgm_name"] == "셀 라인 3호기"
    assert body["notes"] == "첫 줄\n둘째 줄"
    assert body["indexing"] == {"status": "indexing", "href": "/v1/programs/PGM_1/indexing"}
    assert body["milvus_processing"] == "background"
    assert body["report"] == {"valid": True, "logic_count": 2, "ladder_count": 2, "comment_count": 2, "findings": []}
    zip_document, template, ladder, _ = body["documents"]
    assert (zip_document["document_type"], zip_document["document_name"]) == ("PGM_LADDER_ZIP", "라인3.zip")
    assert (zip_document["state"], template["state"]) == ("skipped", "pending")
    assert ladder["encoding"] == "utf-8"
    assert ladder["delimiter"] == "comma"
    assert ladder["rung_count"] == 2
    assert ladder["upload_path"] == "programs/PGM_1/r1/ladder_files/0000_11.csv"


async def test_an_upload_leaves_nothing_in_the_scratch_folder(client: Client, service: Service) -> None:
    await register(client, service)
    assert scratch_of(service) == []


async def test_the_stored_archive_is_the_one_that_was_sent(client: Client, service: Service) -> None:
    sent = service.upload.ladder_zip.path.read_bytes()
    await register(client, service)
    stored = [piece async for piece in service.blobs.read("programs/PGM_1/r1/zip/ladder.zip")]
    assert b"".join(stored) == sent


async def test_a_refused_upload_lists_every_finding_and_leaves_nothing(tmp_path: Path, service: Service) -> None:
    findings = (
        Finding(
            section=Section.LADDER_CSV,
            code="not_a_ladder",
            file="b.csv",
            message=told("no"),
            hint=told("export"),
            row=3,
        ),
        Finding(
            section=Section.TEMPLATE,
            code="logic_id_blank",
            file="t.xlsx",
            message=told("blank"),
            hint=told("fill"),
            row=7,
        ),
        Finding(
            section=Section.LADDER_ZIP,
            code="unnamed_csv",
            file="c.csv",
            message=told("unused"),
            hint=told("name it"),
            severity=Severity.NOTICE,
        ),
    )
    service.container.upload_reader.override(ScriptedUploadReader(replace(service.inspected, findings=findings)))
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await register(client, service)
    body = answer.json()

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["code"] == "upload_invalid"
    assert body["type"] == "urn:ladderbase:problem:upload_invalid"
    assert [(each["section"], each["code"], each["file"], each["row"]) for each in body["findings"]] == [
        ("ladder_zip", "unnamed_csv", "c.csv", None),
        ("template", "logic_id_blank", "t.xlsx", 7),
        ("ladder_csv", "not_a_ladder", "b.csv", 3),
    ]
    assert service.registry.committed.programs == {}
    assert [entry async for entry in service.blobs.list_below("")] == []
    assert scratch_of(service) == []


async def test_a_file_of_another_type_than_its_name_says_is_answered_415(service: Service) -> None:
    finding = Finding(
        section=Section.TEMPLATE, code="type_mismatch", file="t.xlsx", message=told("a PDF"), hint=told("send Excel")
    )
    service.container.upload_reader.override(ScriptedUploadReader(replace(service.inspected, findings=(finding,))))
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await register(client, service)
    assert (answer.status_code, answer.json()["code"]) == (415, "type_mismatch")


async def test_a_dry_run_needs_no_name_and_stores_nothing(client: Client, service: Service) -> None:
    answer = await client.post("/v1/programs/validate", files=files_of(service))
    body = answer.json()
    assert answer.status_code == 200
    assert body["valid"] is True
    assert [ladder["logic_id"] for ladder in body["ladders"]] == ["0000_11", "0001_11"]
    assert service.registry.committed.programs == {}
    assert scratch_of(service) == []


async def test_a_store_that_is_down_is_answered_503_with_a_time_to_come_back(tmp_path: Path) -> None:
    broken = await a_service(tmp_path)
    broken.container.blobs.override(UnavailableBlobStore(broken.blobs, failures=1))
    async with AsyncTestClient(create_app(broken.container)) as client:
        answer = await register(client, broken)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "as scripted" not in answer.text


async def test_the_synchronous_mode_answers_when_everything_is_indexed(tmp_path: Path) -> None:
    inline = await a_service(tmp_path, hold_events_for=timedelta(minutes=1))
    async with AsyncTestClient(create_app(inline.container)) as client:
        body = (await register(client, inline)).json()
    assert body["milvus_processing"] == "inline"
    assert body["indexing"]["status"] == "indexed"
    assert [document["state"] for document in body["documents"]] == ["skipped", "indexed", "indexed", "indexed"]


async def test_an_empty_registry_has_empty_pages(client: Client) -> None:
    answer = await client.get("/v1/programs")
    assert answer.json() == {"items": [], "next": None, "total": None}


async def test_programs_are_paged_newest_first(client: Client, service: Service) -> None:
    for _ in range(3):
        await register(client, service)
    first = (await client.get("/v1/programs", params={"limit": 2})).json()
    rest = (await client.get("/v1/programs", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["pgm_id"] for item in first["items"] + rest["items"]] == ["PGM_3", "PGM_2", "PGM_1"]
    assert rest["next"] is None


async def test_documents_are_paged_in_template_order(client: Client, service: Service) -> None:
    await register(client, service)
    first = (await client.get("/v1/programs/PGM_1/documents", params={"limit": 3})).json()
    rest = (await client.get("/v1/programs/PGM_1/documents", params={"cursor": first["next"]})).json()
    names = [item["document_name"] for item in first["items"] + rest["items"]]
    assert names == ["라인3.zip", "템플릿.xlsx", "0000_11.csv", "0001_11.csv"]


async def test_a_cursor_that_was_not_given_out_is_refused_by_name(client: Client) -> None:
    answer = await client.get("/v1/programs", params={"cursor": "made-up"})
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["field"] == "cursor"


async def test_the_template_is_a_tree(client: Client, service: Service) -> None:
    await register(client, service)
    body = (await client.get("/v1/programs/PGM_1/template")).json()
    (folder,) = body["folders"]
    assert (body["logic_count"], folder["folder_name"]) == (2, "이송부")
    assert [logic["logic_id"] for logic in folder["sub_folders"][0]["logics"]] == ["0000_11", "0001_11"]


async def test_indexing_counts_every_state(client: Client, service: Service) -> None:
    await register(client, service)
    before = (await client.get("/v1/programs/PGM_1/indexing")).json()
    await service.work()
    after = (await client.get("/v1/programs/PGM_1/indexing")).json()
    assert before["counts"] == {"pending": 3, "indexing": 0, "indexed": 0, "failed": 0, "skipped": 1}
    assert (before["status"], before["done"], before["total"]) == ("indexing", 1, 4)
    assert (after["status"], after["done"], after["errors"]) == ("indexed", 4, [])


async def test_a_document_that_cannot_be_indexed_is_named_with_its_code(service: Service) -> None:
    first, *rest = service.inspected.ladders
    told_wrong = replace(service.inspected, ladders=(replace(first, sha256="0" * 64), *rest))
    service.container.upload_reader.override(ScriptedUploadReader(told_wrong))
    async with AsyncTestClient(create_app(service.container)) as client:
        await register(client, service)
        await service.work()
        body = (await client.get("/v1/programs/PGM_1/indexing")).json()
    assert body["status"] == "failed"
    assert [(error["document_name"], error["code"]) for error in body["errors"]] == [("0000_11.csv", "storage_corrupt")]


async def test_a_deleted_program_is_unknown_everywhere(client: Client, service: Service) -> None:
    await register(client, service)
    deleted = await client.delete("/v1/programs/PGM_1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for path in ("/v1/programs/PGM_1", "/v1/programs/PGM_1/indexing", "/v1/documents/PGM_1-r1-0000"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    again = await client.delete("/v1/programs/PGM_1")
    assert again.status_code == 404


@pytest.mark.parametrize("path", ["", "/documents", "/template", "/indexing"])
async def test_an_unknown_program_is_a_404_problem(client: Client, path: str) -> None:
    answer = await client.get(f"/v1/programs/PGM_404{path}")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (404, "not_found")
    assert body["detail"] == "there is no program PGM_404"


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/v1/programs/nope", {}, "pgm_id"),
        ("/v1/programs/PGM_1%00", {}, "pgm_id"),
        ("/v1/documents/PGM_1", {}, "document_id"),
        ("/v1/programs", {"limit": "0"}, "limit"),
        ("/v1/programs", {"limit": "201"}, "limit"),
        ("/v1/programs", {"limit": "1e9"}, "limit"),
        ("/v1/programs", {"limit": "-1"}, "limit"),
        ("/v1/programs", {"cursor": "x" * 501}, "cursor"),
    ],
)
async def test_an_address_that_cannot_be_right_names_its_field(
    client: Client, path: str, params: dict[str, str], field: str
) -> None:
    answer = await client.get(path, params=params)
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 422
    assert [finding["field"] for finding in body["findings"]] == [field]
    assert "`" not in answer.text


async def test_problems_of_fields_and_of_files_come_in_one_answer(client: Client, service: Service) -> None:
    bad = Finding(
        section=Section.TEMPLATE,
        code="logic_id_blank",
        file="템플릿.xlsx",
        row=3,
        message=told("blank"),
        hint=told("Fill."),
    )
    service.upload_reader.inspected = replace(service.inspected, findings=(bad,))
    answer = await register(client, service, {"pgm_name": "셀"})
    assert answer.status_code == 422
    assert [finding["code"] for finding in answer.json()["findings"]] == ["field_blank", "logic_id_blank"]
    assert scratch_of(service) == []
