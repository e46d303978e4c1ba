"""Documents over HTTP: their facts and their bytes."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from builders.uploads import CONVEYOR, ladder_csv
from entrypoints.api.app import create_app
from fakes.blob_store import UnavailableBlobStore

Client = AsyncTestClient[Litestar]
ARCHIVE, LADDER = "PGM_1-r1-0000", "PGM_1-r1-0002"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    (tmp_path / "scratch").mkdir()
    service = await a_service(tmp_path, scratch=tmp_path / "scratch")
    named = replace(service.upload, ladder_zip=replace(service.upload.ladder_zip, name='라인 "3".zip'))
    service.upload = named
    await service.register()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


async def test_the_archive_comes_back_byte_for_byte(client: Client, service: Service) -> None:
    answer = await client.get(f"/v1/documents/{ARCHIVE}/content")
    sent = service.upload.ladder_zip.path.read_bytes()
    assert answer.status_code == 200
    assert answer.content == sent
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-length"] == str(len(sent))
    assert answer.headers["etag"] == f'"{hashlib.sha256(sent).hexdigest()}"'


async def test_a_korean_name_reaches_new_and_old_clients(client: Client) -> None:
    disposition = (await client.get(f"/v1/documents/{ARCHIVE}/content")).headers["content-disposition"]
    encoded = quote('라인 "3".zip', safe="")
    assert disposition == f"attachment; filename=\"__ _3_.zip\"; filename*=UTF-8''{encoded}"


async def test_a_ladder_comes_out_of_the_archive_until_it_has_its_own_object(client: Client, service: Service) -> None:
    from_archive = await client.get(f"/v1/documents/{LADDER}/content")
    await service.work()
    own = await client.get(f"/v1/documents/{LADDER}/content")
    assert from_archive.content == own.content == ladder_csv(CONVEYOR)
    assert from_archive.headers["content-type"].startswith("text/csv")
    assert list(service.container.scratch().iterdir()) == []


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
async def test_who_has_the_bytes_already_is_told_so(client: Client, form: str) -> None:
    tag = (await client.get(f"/v1/documents/{LADDER}/content")).headers["etag"]
    answer = await client.get(f"/v1/documents/{LADDER}/content", headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


async def test_other_bytes_are_sent_in_full(client: Client) -> None:
    answer = await client.get(f"/v1/documents/{LADDER}/content", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


async def test_a_store_that_is_down_is_a_503_and_no_short_body(client: Client, service: Service) -> None:
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))
    answer = await client.get(f"/v1/documents/{ARCHIVE}/content")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_document_tells_its_place_and_what_the_parser_found(client: Client) -> None:
    body = (await client.get(f"/v1/documents/{LADDER}")).json()
    assert (body["logic_id"], body["folder_name"], body["tool"], body["cpu"]) == (
        "0000_11",
        "이송부",
        "GX Works3",
        "RCPU R08",
    )
    assert body["failure"] is None


async def test_a_document_that_is_no_ladder_has_no_listing_facts(client: Client) -> None:
    body = (await client.get(f"/v1/documents/{ARCHIVE}")).json()
    assert (body["encoding"], body["row_count"], body["upload_path"]) == (
        None,
        None,
        "programs/PGM_1/r1/zip/ladder.zip",
    )


async def test_unknown_documents_are_404_problems(client: Client) -> None:
    for path in ("", "/content"):
        answer = await client.get(f"/v1/documents/PGM_1-r1-9999{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
