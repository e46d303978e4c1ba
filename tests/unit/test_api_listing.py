"""The listing of programs over HTTP: filters, order, cursors, totals; and how much of everything there is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from application.register_program import RegisterCommand
from builders.service import DETAILS, Service, a_service, connected

NAMES = {"도장 라인 1": "kim", "도장 라인 2": "lee", "搬送コンベア": "kim"}


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    service = await a_service(tmp_path)
    for name, user in NAMES.items():
        details = replace(DETAILS, pgm_name=name, create_user=user)
        await service.container.register_program()(RegisterCommand(details=details, upload=service.upload))
    return service


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def listed(client: AsyncClient, **asked: Any) -> list[str]:
    body = (await client.get("/v1/programs", params=asked)).raise_for_status().json()
    return [program["pgm_name"] for program in body["items"]]


async def test_filters_and_order_are_parameters(client: AsyncClient) -> None:
    one, two, conveyor = NAMES
    assert await listed(client) == [conveyor, two, one]
    assert await listed(client, sort="oldest") == [one, two, conveyor]
    assert await listed(client, sort="name") == [conveyor, one, two]
    assert await listed(client, name="라인", create_user="kim") == [one]
    assert await listed(client, name="ｺﾝﾍﾞｱ") == [conveyor]
    assert await listed(client, pgm_id="PGM_2") == [two]
    assert await listed(client, folder="이송부", status="indexing") == [conveyor, two, one]
    assert await listed(client, status="failed") == []
    assert await listed(client, created_from="2026-01-05T18:00:00+09:00") == [conveyor, two, one]
    assert await listed(client, created_to="2026-01-05T09:00:00Z") == []


async def test_hangul_that_macos_typed_in_pieces_is_found(client: AsyncClient) -> None:
    assert await listed(client, name="\u1105\u1161\u110b\u1175\u11ab 2") == ["도장 라인 2"]
    assert await listed(client, folder="\u110b\u1175\u1109\u1169\u11bc\u1107\u116e", create_user="lee") == [
        "도장 라인 2"
    ]


async def test_wildcards_are_characters_like_others(client: AsyncClient) -> None:
    for name in ("%", "_", "도장%", "도_", "％", "\\"):
        assert await listed(client, name=name) == [], name


async def test_the_total_is_told_to_whoever_asks_for_it(client: AsyncClient) -> None:
    asked = (await client.get("/v1/programs", params={"limit": 1, "name": "라인", "total": "true"})).json()
    assert (len(asked["items"]), asked["total"]) == (1, 2)
    assert (await client.get("/v1/programs")).json()["total"] is None


async def test_a_cursor_goes_on_with_the_same_filters_and_with_no_others(client: AsyncClient) -> None:
    cursor = (await client.get("/v1/programs", params={"limit": 1, "name": "라인"})).json()["next"]
    assert await listed(client, limit=1, name="라인", cursor=cursor) == ["도장 라인 1"]
    for others in ({}, {"name": "라"}, {"name": "라인", "sort": "oldest"}):
        answer = await client.get("/v1/programs", params={"cursor": cursor, **others})
        assert (answer.status_code, answer.json()["findings"][0]["field"]) == (422, "cursor"), others


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("pgm_id", "PGM_", "field_invalid"),
        ("name", "", "field_invalid"),
        ("name", " ", "field_blank"),
        ("name", "a\0", "text_invalid"),
        ("name", "x" * 256, "field_invalid"),
        ("folder", "\ufdd0", "text_invalid"),
        ("create_user", "\n", "text_invalid"),
        ("status", "done", "field_invalid"),
        ("sort", "size", "field_invalid"),
        ("total", "maybe", "field_invalid"),
        ("created_from", "yesterday", "field_invalid"),
        ("created_from", "2026-01-05", "field_invalid"),
        ("created_from", "2026-01-05T09:00:00", "field_invalid"),
        ("created_from", "2026-01-05T09:00:00 09:00", "field_invalid"),
        ("created_from", "2026-02-30T09:00:00Z", "field_invalid"),
        ("created_to", "0001-01-01T00:00:00+14:00", "field_invalid"),
        ("created_to", "9999-12-31T23:59:59-14:00", "field_invalid"),
        ("created_to", "1767603600", "field_invalid"),
    ],
)
async def test_what_no_filter_can_be_is_refused_by_name(client: AsyncClient, field: str, value: str, code: str) -> None:
    answer = await client.get("/v1/programs", params={field: value})
    assert answer.status_code == 422, answer.text
    assert [(one["field"], one["code"]) for one in answer.json()["findings"]] == [(field, code)]


async def test_statistics_name_every_status_and_every_state(client: AsyncClient, service: Service) -> None:
    body = (await client.get("/v1/stats")).raise_for_status().json()
    assert body["programs"] == {"indexing": 3, "indexed": 0, "failed": 0}
    assert body["total_programs"] == 3
    assert set(body["documents"]) == {"pending", "indexing", "indexed", "failed", "skipped"}
    assert body["oldest"] == {"pgm_id": "PGM_1", "document_id": "PGM_1-r1-0001", "age_s": 0.0}
    await service.work()
    body = (await client.get("/v1/stats")).json()
    assert body["programs"] == {"indexing": 0, "indexed": 3, "failed": 0}
    assert body["oldest"] is None
    assert body["documents"]["indexed"]["chunks"] == body["total"]["chunks"] > 0
    documents = service.registry.committed.documents.values()
    assert body["total"]["documents"] == len(documents)
    assert body["total"]["size_bytes"] == sum(document.size_bytes for document in documents)
