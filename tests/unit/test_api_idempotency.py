"""`Idempotency-Key` on an upload over HTTP: one program, and the same answer each time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from builders.service import Service, a_service, connected
from fakes.blob_store import UnavailableBlobStore
from fakes.readers import GatheringUploadReader

DETAILS = {"pgm_name": "셀 라인 3호기", "create_user": "kim"}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def register(
    client: AsyncClient,
    service: Service,
    key: str | bytes | None = "7f3c",
    *,
    template: bytes | None = None,
    **texts: str,
) -> Response:
    files = {
        "pgm_ladder_zip_file": ("라인3.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("템플릿.xlsx", template or service.upload.template.path.read_bytes()),
    }
    headers: list[tuple[str, Any]] = [] if key is None else [("Idempotency-Key", key)]
    return await client.post("/v1/programs", data=DETAILS | texts, files=files, headers=headers)


def sent(answer: Response) -> tuple[int, str, str, bytes]:
    return answer.status_code, answer.headers["location"], answer.headers["content-type"], answer.content


async def test_a_repeat_is_given_the_same_status_location_and_bytes_and_says_so(
    client: AsyncClient, service: Service
) -> None:
    first = await register(client, service)
    await service.work()
    repeat = await register(client, service)
    assert first.status_code == 201
    assert sent(repeat) == sent(first)
    assert "idempotency-replayed" not in first.headers
    assert repeat.headers["idempotency-replayed"] == "true"
    assert list(service.registry.committed.programs) == ["PGM_1"]


async def test_an_answer_under_a_key_is_that_without_one(client: AsyncClient, service: Service) -> None:
    keyed, plain = (await register(client, service)).json(), (await register(client, service, None)).json()
    assert plain["pgm_id"] == "PGM_2"
    assert keyed.keys() == plain.keys()


@pytest.mark.parametrize("changed", [{"notes": "later"}, {"template": b"another workbook"}])
async def test_another_request_under_the_key_is_a_conflict(
    client: AsyncClient, service: Service, changed: dict[str, Any]
) -> None:
    await register(client, service)
    answer = await register(client, service, **changed)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(service.registry.committed.programs) == ["PGM_1"]


async def test_many_at_once_are_given_one_answer(client: AsyncClient, service: Service) -> None:
    service.container.upload_reader.override(GatheringUploadReader(service.inspected, 10))
    answers = await asyncio.gather(*(register(client, service) for _ in range(10)))
    assert len({sent(answer) for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9
    assert len(service.registry.committed.programs) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "키".encode(), "é".encode("latin-1"), b"a\x7f"])
async def test_what_is_no_key_is_refused_by_the_name_of_its_header(
    client: AsyncClient, service: Service, key: str | bytes
) -> None:
    answer = await register(client, service, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
    assert answer.json()["findings"][0]["field"] == "Idempotency-Key"
    assert service.registry.committed.programs == {}


async def test_two_keys_are_none(client: AsyncClient) -> None:
    answer = await client.post("/v1/programs", headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "a")])
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")


async def test_blanks_around_a_key_are_not_part_of_it(client: AsyncClient, service: Service) -> None:
    await register(client, service, "two words")
    assert "idempotency-replayed" in (await register(client, service, " two words\t")).headers


async def test_a_refused_request_leaves_its_key_to_the_corrected_one(client: AsyncClient, service: Service) -> None:
    assert (await register(client, service, pgm_name="")).status_code == 422
    assert (await register(client, service)).status_code == 201


async def test_an_outage_leaves_the_key_to_the_retry(tmp_path: Path) -> None:
    broken = await a_service(tmp_path)
    broken.container.blobs.override(UnavailableBlobStore(broken.blobs, failures=1))
    async with connected(broken) as client:
        assert (await register(client, broken)).status_code == 503
        retry = await register(client, broken)
    assert retry.status_code == 201
    assert "idempotency-replayed" not in retry.headers


async def test_the_synchronous_mode_repeats_what_it_answered_when_everything_was_indexed(tmp_path: Path) -> None:
    inline = await a_service(tmp_path, hold_events_for=timedelta(minutes=1))
    async with connected(inline) as client:
        first, repeat = await register(client, inline), await register(client, inline)
    assert first.json()["indexing"]["status"] == "indexed"
    assert sent(repeat) == sent(first)


async def test_a_dry_run_takes_no_key(client: AsyncClient, service: Service) -> None:
    files = {
        "pgm_ladder_zip_file": ("a.zip", service.upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("t.xlsx", b"x"),
    }
    answer = await client.post("/v1/programs/validate", files=files, headers={"Idempotency-Key": "7f3c"})
    assert answer.status_code == 200
    assert service.registry.committed.answers == {}


async def test_the_openapi_document_tells_the_key_the_conflict_and_the_replay(client: AsyncClient) -> None:
    document: dict[str, Any] = (await client.get("/schema/openapi.json")).json()
    operation = document["paths"]["/v1/programs"]["post"]
    [parameter] = [each for each in operation["parameters"] if each["name"] == "Idempotency-Key"]
    assert (parameter["name"], parameter["in"], parameter["schema"]["maxLength"]) == ("Idempotency-Key", "header", 255)
    assert not parameter.get("required")
    assert "409" in operation["responses"]
    assert operation["responses"]["201"]["headers"]["Idempotency-Replayed"]["schema"]["type"] == "string"
    others = document["paths"]["/v1/programs/validate"]["post"]["parameters"]
    assert "Idempotency-Key" not in {each["name"] for each in others}
