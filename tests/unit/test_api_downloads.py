"""Downloads over HTTP: ranges of a document, and a program as one ZIP."""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from httpx import AsyncClient, Response

from application.register_program import RegisterCommand
from builders.service import DETAILS, Service, a_service, connected
from builders.uploads import CONVEYOR, DOOR, ladder_csv
from contracts.records import a_document
from domain.document import DocumentType
from domain.export import exported_names
from fakes.blob_store import UnavailableBlobStore

LADDER = "/v1/documents/PGM_1-r1-0002/content"
CONTENT = ladder_csv(CONVEYOR)
SIZE = len(CONTENT)


@pytest.fixture(params=["archive", "own object"])
async def service(tmp_path: Path, request: pytest.FixtureRequest) -> Service:
    (tmp_path / "scratch").mkdir()
    service = await a_service(tmp_path, scratch=tmp_path / "scratch")
    details = replace(DETAILS, pgm_name='도장/라인 "2"')
    await service.container.register_program()(RegisterCommand(details=details, upload=service.upload))
    if request.param == "own object":
        await service.work()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def part(client: AsyncClient, wanted: str, **headers: str) -> Response:
    return await client.get(LADDER, headers={"Range": wanted, **headers})


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=3-9", 3, 10),
        ("bytes=5-", 5, SIZE),
        ("bytes=-4", SIZE - 4, SIZE),
        ("bytes=-999999", 0, SIZE),
        ("bytes=2-999999999", 2, SIZE),
        ("BYTES = 0-1", 0, 2),
    ],
)
async def test_a_range_is_sent_alone(client: AsyncClient, wanted: str, start: int, stop: int) -> None:
    answer = await part(client, wanted)
    assert (answer.status_code, answer.content) == (206, CONTENT[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,3-4", "bytes=9-3", "bytes=-", "bytes=a-b", "lines=0-1", "0-1", "bytes=0-1x"]
)
async def test_what_is_not_one_range_is_answered_with_everything(client: AsyncClient, wanted: str) -> None:
    answer = await part(client, wanted)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
async def test_a_range_behind_the_end_is_refused_with_the_size(client: AsyncClient, wanted: str) -> None:
    answer = await part(client, wanted)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


async def test_a_part_of_other_bytes_is_not_continued(client: AsyncClient) -> None:
    tag = (await client.get(LADDER)).headers["etag"]
    assert (await part(client, "bytes=0-1", **{"If-Range": tag})).status_code == 206
    for other in ('"other"', f"W/{tag}", "Mon, 05 Jan 2026 09:00:00 GMT"):
        answer = await part(client, "bytes=0-1", **{"If-Range": other})
        assert (answer.status_code, answer.content) == (200, CONTENT), other


async def test_who_has_the_bytes_is_sent_no_part_of_them(client: AsyncClient) -> None:
    tag = (await client.get(LADDER)).headers["etag"]
    assert (await part(client, "bytes=0-1", **{"If-None-Match": tag})).status_code == 304


async def test_head_tells_what_get_would_send(client: AsyncClient) -> None:
    head, get = await client.head(LADDER), await client.get(LADDER)
    assert (head.status_code, head.content) == (200, b"")
    told = ("content-length", "content-type", "content-disposition", "etag", "accept-ranges", "cache-control")
    assert {name: head.headers[name] for name in told} == {name: get.headers[name] for name in told}
    again = await client.head(LADDER, headers={"If-None-Match": get.headers["etag"]})
    assert again.status_code == 304
    assert (await client.head("/v1/documents/PGM_1-r1-9999/content")).status_code == 404


async def test_a_program_comes_as_one_zip(client: AsyncClient, service: Service) -> None:
    answer = await client.get("/v1/programs/PGM_1/content")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    encoded = quote("도장_라인 _2_.zip", safe="")
    assert (
        answer.headers["content-disposition"] == f"attachment; filename=\"_____ _2_.zip\"; filename*=UTF-8''{encoded}"
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"template/{service.upload.template.name}": service.upload.template.path.read_bytes(),
            "ladder_files/0000_11.csv": CONTENT,
            "ladder_files/0001_11.csv": ladder_csv(DOOR),
        }
    assert list(service.container.scratch().iterdir()) == []


async def test_an_unknown_program_or_revision_has_no_zip(client: AsyncClient) -> None:
    for path in ("/v1/programs/PGM_9/content", "/v1/programs/PGM_1/content?revision=7"):
        assert (await client.get(path)).status_code == 404, path


async def test_a_zip_is_made_of_the_objects_when_the_archive_is_gone(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    await service.blobs.delete_below("programs/PGM_1/r1/zip")
    async with connected(service) as client:
        answer = await client.get("/v1/programs/PGM_1/content")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "ladder_files/0000_11.csv" in archive.namelist()


async def test_a_store_that_is_down_is_a_503_and_no_broken_zip(tmp_path: Path) -> None:
    service = await a_service(tmp_path)
    await service.register()
    service.container.blobs.override(UnavailableBlobStore(service.blobs, failures=1))
    async with connected(service) as client:
        answer = await client.get("/v1/programs/PGM_1/content")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_no_two_files_of_a_zip_have_one_name_and_none_leaves_its_folder() -> None:
    template = DocumentType.TEMPLATE
    documents = [
        a_document(0, document_type=DocumentType.LADDER_ZIP, document_name="a.zip"),
        a_document(1, document_type=template, document_name="Line.xlsx"),
        a_document(2, document_type=template, document_name="LINE.xlsx"),
        a_document(3, document_type=template, document_name="../x:y\\z"),
        a_document(4, document_type=template, document_name=".."),
        a_document(5, logic_id="a/b"),
        a_document(6, logic_id="A_b"),
    ]
    assert [name for name, _ in exported_names(documents)] == [
        "template/Line.xlsx",
        "template/LINE (2).xlsx",
        "template/_x_y_z",
        "template/_",
        "ladder_files/a_b.csv",
        "ladder_files/A_b (2).csv",
    ]
