"""HEAD over HTTP: wherever GET is served, and nothing else of it but the content."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from builders.service import Service, a_service, connected

PROGRAM = "/v1/programs/PGM_1"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    await service.register()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/version",
        "/v1/programs",
        PROGRAM,
        f"{PROGRAM}/template",
        f"{PROGRAM}/documents",
        f"{PROGRAM}/content",
        "/v1/documents/PGM_1-r1-0001",
        "/v1/programs/PGM_9",
        "/v1/nothing",
    ],
)
async def test_a_head_is_a_get_without_its_content(client: AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    changing = {"x-request-id", "date"}
    assert {**head.headers, **dict.fromkeys(changing)} == {**get.headers, **dict.fromkeys(changing)}


async def test_what_the_caller_has_already_is_told_by_a_head_too(client: AsyncClient) -> None:
    tag = (await client.head(PROGRAM)).headers["etag"]
    assert (await client.head(PROGRAM, headers={"If-None-Match": tag})).status_code == 304


async def test_a_head_holds_no_stream_open(client: AsyncClient, service: Service) -> None:
    head = await client.head(f"{PROGRAM}/indexing/events")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    streams = service.container.limits().streams
    assert not streams._taken


async def test_what_is_no_get_is_no_head(client: AsyncClient) -> None:
    answer = await client.head("/v1/search")
    assert (answer.status_code, answer.content) == (405, b"")
    assert set(answer.headers["allow"].split(", ")) == {"OPTIONS", "POST"}


async def test_options_names_it(client: AsyncClient) -> None:
    assert (await client.options("/healthz")).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_the_log_says_that_it_was_a_head(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="ladderbase.access")
    await client.head(PROGRAM)
    assert ["HEAD" in record.getMessage() or "HEAD" in str(record.__dict__) for record in caplog.records] == [True]
