"""Replacing a program's files over HTTP, over the container that production uses with fakes behind it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from builders.uploads import CONVEYOR, an_upload
from entrypoints.api.app import create_app

Client = AsyncTestClient[Litestar]


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    for name in ("sent", "sent/anew", "scratch"):
        (tmp_path / name).mkdir()
    service = await a_service(tmp_path / "sent", scratch=tmp_path / "scratch")
    await service.register()
    await service.work()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


def files(service: Service) -> Mapping[str, tuple[str, bytes]]:
    """Made anew, they are others: archives and workbooks hold the time."""
    upload, service.upload_reader.inspected = an_upload(service.folder / "anew", {"0000_11": CONVEYOR})
    return {
        "pgm_ladder_zip_file": ("ladder.zip", upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("template.xlsx", upload.template.path.read_bytes()),
    }


async def put(client: Client, service: Service, pgm_id: str = "PGM_1", **texts: str) -> Response:
    data = texts or {"create_user": "lee"}
    return await client.put(f"/v1/programs/{pgm_id}/files", data=data, files=files(service))


async def test_a_new_revision_is_told_and_waits_beside_the_old_one(client: Client, service: Service) -> None:
    answer = await put(client, service)
    body = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/programs/PGM_1")
    assert (body["revision"], body["deduplicated"], body["create_user"]) == (2, False, "lee")
    assert {document["document_id"].split("-")[1] for document in body["documents"]} == {"r2"}
    program = (await client.get("/v1/programs/PGM_1")).json()
    assert (program["revision"], program["create_user"], program["indexing"]["status"]) == (1, "kim", "indexed")
    assert program["pending"]["revision"] == 2
    assert program["pending"]["indexing"] == {"status": "indexing", "href": "/v1/programs/PGM_1/indexing"}
    progress = (await client.get("/v1/programs/PGM_1/indexing")).json()
    assert (progress["revision"], progress["answering"], progress["status"]) == (2, 1, "indexing")

    await service.work()
    program = (await client.get("/v1/programs/PGM_1")).json()
    assert (program["revision"], program["pending"], program["document_count"]) == (2, None, 3)
    progress = (await client.get("/v1/programs/PGM_1/indexing")).json()
    assert (progress["revision"], progress["answering"], progress["status"]) == (2, 2, "indexed")


async def test_the_same_files_again_are_a_200_that_says_so(client: Client, service: Service) -> None:
    sent, texts = files(service), {"create_user": "lee"}
    await client.put("/v1/programs/PGM_1/files", data=texts, files=sent)
    answer = await client.put("/v1/programs/PGM_1/files", data=texts, files=sent)
    assert (answer.status_code, answer.headers["location"]) == (200, "/v1/programs/PGM_1")
    assert answer.json()["deduplicated"] is True
    assert answer.json()["pending"]["revision"] == 2


async def test_the_documents_of_both_revisions_can_be_listed_and_read(client: Client, service: Service) -> None:
    href = (await put(client, service)).json()["documents"][-1]["href"]
    old = (await client.get("/v1/programs/PGM_1/documents")).json()["items"]
    new = (await client.get("/v1/programs/PGM_1/documents", params={"revision": 2})).json()["items"]
    assert (len(old), len(new)) == (4, 3)
    assert (await client.get(href)).json()["document_id"] == new[-1]["document_id"]
    assert (await client.get(f"{href}/content")).status_code == 200
    assert (await client.get("/v1/programs/PGM_1/documents", params={"revision": 3})).status_code == 404
    assert (await client.get("/v1/programs/PGM_1/documents", params={"revision": 0})).status_code == 422


async def test_who_replaces_files_must_say_so_and_nothing_else(client: Client, service: Service) -> None:
    nobody = await put(client, service, create_user=" ")
    assert (nobody.status_code, nobody.json()["findings"][0]["code"]) == (422, "field_blank")
    named = await put(client, service, create_user="lee", pgm_name="another")
    assert (named.status_code, named.json()["findings"][0]["field"]) == (422, "pgm_name")


async def test_a_program_that_is_not_there_has_no_files(client: Client, service: Service) -> None:
    answer = await put(client, service, pgm_id="PGM_404")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
