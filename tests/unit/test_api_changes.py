"""Changing and deleting programs over HTTP, and reads of what the caller has already."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from builders.service import Service, a_service, connected
from domain.ports.unit_of_work import Transaction
from domain.program import DetailChanges
from fakes.unit_of_work import InMemoryUnitOfWork

PATH = "/v1/programs/PGM_1"


class OvertakenUnitOfWork(InMemoryUnitOfWork):
    """Somebody else is faster than every transaction."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with super().begin() as theirs:
            await theirs.programs.amend("PGM_1", DetailChanges(notes="theirs"))
        async with super().begin() as transaction:
            yield transaction


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    await service.register()
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def tag_of(client: AsyncClient) -> str:
    return (await client.get(PATH)).raise_for_status().headers["etag"]


async def amend(client: AsyncClient, body: object, *, tag: str | None) -> Response:
    return await client.patch(PATH, json=body, headers={} if tag is None else {"If-Match": tag})


@pytest.mark.parametrize("body", [{}, {"notes": None}])
async def test_a_change_of_nothing_leaves_even_its_time(
    client: AsyncClient, service: Service, body: dict[str, None]
) -> None:
    before, tag = (await client.get(PATH)).json(), await tag_of(client)
    await service.registry.clock.advance(timedelta(minutes=1))
    answer = await amend(client, body, tag=tag)
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, before, tag)
    assert (await client.get(PATH)).json() == before
    assert (await amend(client, body, tag='"another"')).status_code == 412


async def test_what_is_named_changes_and_the_rest_stays(client: AsyncClient, service: Service) -> None:
    before = (await client.get(PATH)).json()
    answer = await amend(client, {"pgm_name": " 새 이름 ", "notes": "첫 줄\n둘째"}, tag=await tag_of(client))
    assert answer.status_code == 200
    assert answer.json() == {**before, "pgm_name": "새 이름", "notes": "첫 줄\n둘째"}
    assert (await client.get(PATH)).json() == answer.json()
    assert await tag_of(client) == answer.headers["etag"]


async def test_when_it_was_updated_is_told(client: AsyncClient, service: Service) -> None:
    tag = await tag_of(client)
    service.registry.clock.now = service.registry.clock.now.replace(year=2027)
    assert (await amend(client, {"notes": "x"}, tag=tag)).json()["update_dt"].startswith("2027")


async def test_a_text_may_be_emptied_but_not_the_name(client: AsyncClient) -> None:
    assert (await amend(client, {"pgm_version": "", "pgm_name": None}, tag="*")).json()["pgm_name"] == "셀 라인"
    answer = await amend(client, {"pgm_name": " "}, tag="*")
    assert (answer.status_code, answer.json()["findings"][0]["field"]) == (422, "pgm_name")


async def test_hangul_in_pieces_is_composed(client: AsyncClient) -> None:
    assert (await amend(client, {"pgm_name": "\u1112\u1161\u11ab"}, tag="*")).json()["pgm_name"] == "한"


async def test_without_a_condition_nothing_is_changed(client: AsyncClient) -> None:
    answer = await amend(client, {"notes": "x"}, tag=None)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert (await client.get(PATH)).json()["notes"] == ""


@pytest.mark.parametrize("form", ['"other"', "W/{}", "{}x", "nonsense"])
async def test_another_tag_changes_nothing(client: AsyncClient, form: str) -> None:
    answer = await amend(client, {"notes": "x"}, tag=form.format(await tag_of(client)))
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert (await client.get(PATH)).json()["notes"] == ""


async def test_of_two_who_read_the_same_one_wins(client: AsyncClient) -> None:
    tag = await tag_of(client)
    first = await amend(client, {"notes": "first"}, tag=tag)
    second = await amend(client, {"notes": "second"}, tag=tag)
    assert (first.status_code, second.status_code) == (200, 412)
    again = await amend(client, {"notes": "second"}, tag=f'"other", {first.headers["etag"]}')
    assert again.json()["notes"] == "second"


async def test_a_change_between_the_check_and_the_record_is_noticed(client: AsyncClient, service: Service) -> None:
    service.container.unit_of_work.override(OvertakenUnitOfWork(service.registry))
    answer = await amend(client, {"notes": "mine"}, tag=await tag_of(client))
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert (await client.get(PATH)).json()["notes"] == "theirs"


async def test_another_revision_that_answers_by_now_is_noticed(client: AsyncClient, service: Service) -> None:
    tag = await tag_of(client)
    await service.work()
    assert (await amend(client, {"notes": "x"}, tag=tag)).status_code == 412  # it is indexed now


@pytest.mark.parametrize(
    "body",
    [
        {"create_user": "lee"},
        {"pgm_name": "x" * 201},
        {"pgm_name": "a\nb"},
        {"pgm_version": "x" * 101},
        {"notes": "\ufdd0"},
        {"description": 7},
    ],
)
async def test_what_a_program_cannot_be_called_is_refused_by_name(client: AsyncClient, body: dict[str, object]) -> None:
    answer = await amend(client, body, tag="*")
    assert answer.status_code == 422
    assert [finding["field"] for finding in answer.json()["findings"]] == list(body)


async def test_a_program_that_is_not_there_is_not_changed(client: AsyncClient) -> None:
    answer = await client.patch("/v1/programs/PGM_9", json={"notes": "x"}, headers={"If-Match": "*"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path", [PATH, f"{PATH}/documents", f"{PATH}/template", f"{PATH}/content", "/v1/documents/PGM_1-r1-0002"]
)
async def test_who_has_the_answer_already_is_told_so(client: AsyncClient, service: Service, path: str) -> None:
    tag = (await client.get(path)).raise_for_status().headers["etag"]
    for sent in (tag, f"W/{tag.removeprefix('W/')}", f'"other",{tag}', "*"):
        answer = await client.get(path, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), sent
        assert answer.headers["cache-control"] == "private, no-cache"
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_what_changed_has_another_tag(client: AsyncClient, service: Service) -> None:
    paths = [PATH, f"{PATH}/documents", "/v1/documents/PGM_1-r1-0002"]
    before = [(await client.get(path)).headers["etag"] for path in paths]
    await service.work()
    assert not {(await client.get(path)).headers["etag"] for path in paths} & set(before)


async def test_many_are_deleted_each_by_itself(
    client: AsyncClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="ladderbase.security")
    await service.register()
    asked = {"pgm_ids": ["PGM_2", "PGM_9", "PGM_1", "PGM_2"]}
    first = await client.post("/v1/programs/delete", json=asked)
    assert first.status_code == 200
    assert first.json() == {
        "items": [
            {"pgm_id": "PGM_2", "result": "deleted"},
            {"pgm_id": "PGM_9", "result": "absent"},
            {"pgm_id": "PGM_1", "result": "deleted"},
        ],
        "deleted": 2,
    }
    second = (await client.post("/v1/programs/delete", json=asked)).json()
    assert [item["result"] for item in second["items"]] == ["absent"] * 3
    assert (await client.get("/v1/programs")).json()["items"] == []
    logged = [record.getMessage() for record in caplog.records if record.name == "ladderbase.security"]
    assert [re.findall(r"action=(\S+) object=(\S+)", line) for line in logged] == [
        [("delete_programs", "PGM_2")],
        [("delete_programs", "PGM_1")],
    ]


@pytest.mark.parametrize("pgm_ids", [[], ["PGM_x"], [f"PGM_{number}" for number in range(101)], "PGM_1", None])
async def test_what_cannot_be_deleted_at_once_is_refused(client: AsyncClient, pgm_ids: object) -> None:
    answer = await client.post("/v1/programs/delete", json={"pgm_ids": pgm_ids})
    assert answer.status_code == 422
    assert (await client.get(PATH)).status_code == 200
