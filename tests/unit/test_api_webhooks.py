"""Webhooks over HTTP and at the command line: a secret is shown once, and what is wrong is named."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from httpx import ASGITransport, AsyncClient

from builders.service import Service, a_service, connected
from entrypoints.api.app import create_app
from entrypoints.cli.main import main

URL = "https://a.example.com/hook"


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with connected(service) as client:
        yield client


async def test_a_webhook_is_added_listed_changed_and_removed(client: AsyncClient) -> None:
    added = await client.post("/v1/webhooks", json={"url": URL, "kinds": ["indexed", "failed"]})
    body = added.json()
    assert (added.status_code, added.headers["location"]) == (201, f"/v1/webhooks/{body['webhook_id']}")
    assert body.pop("secret").startswith("whsec_")
    assert (body["url"], body["kinds"], body["enabled"]) == (URL, ["failed", "indexed"], True)
    assert (await client.get("/v1/webhooks")).json() == {"items": [body]}
    path = f"/v1/webhooks/{body['webhook_id']}"
    changed = await client.patch(path, json={"enabled": False})
    assert (changed.status_code, changed.json()["enabled"], changed.json()["url"]) == (200, False, URL)
    assert (await client.delete(path)).status_code == 204
    assert (await client.get("/v1/webhooks")).json() == {"items": []}


async def test_another_secret_is_shown_once(client: AsyncClient) -> None:
    first = (await client.post("/v1/webhooks", json={"url": URL})).json()
    rotated = await client.post(f"/v1/webhooks/{first['webhook_id']}/secret")
    assert rotated.status_code == 200
    assert rotated.json()["secret"] != first["secret"]
    assert "secret" not in (await client.get("/v1/webhooks")).text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "ftp://a.example.com"}, "url"),
        ({"url": ""}, "url"),
        ({"url": URL, "kinds": []}, "kinds"),
        ({"url": URL, "kinds": ["exploded"]}, "kinds"),
        ({"url": URL, "secret": "mine"}, "secret"),
        ({"kinds": ["indexed"]}, "url"),
    ],
)
async def test_what_cannot_be_a_webhook_is_a_422_that_names_the_field(
    client: AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await client.post("/v1/webhooks", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


async def test_a_private_address_is_taken_where_the_operator_allows_it(tmp_path: Path) -> None:
    service = await a_service(tmp_path, webhook_allow_private=True)
    async with connected(service) as client:
        assert (await client.post("/v1/webhooks", json={"url": "http://10.0.0.1/"})).status_code == 201


async def test_an_unknown_webhook_is_a_404_in_the_language_that_is_asked_for(client: AsyncClient) -> None:
    korean = {"Accept-Language": "ko"}
    for method, path in (("DELETE", ""), ("POST", "/secret"), ("PATCH", "")):
        content: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        answer = await client.request(method, f"/v1/webhooks/wh_{'0' * 12}{path}", headers=korean, **content)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "웹훅" in answer.json()["detail"]


async def test_the_security_log_names_the_webhook_and_no_log_its_secret(
    client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    added = (await client.post("/v1/webhooks", json={"url": URL + "?token=hidden"})).json()
    rotated = (await client.post(f"/v1/webhooks/{added['webhook_id']}/secret")).json()
    assert f"action=add_webhook object={added['webhook_id']}" in caplog.text
    assert f"action=rotate_webhook_secret object={added['webhook_id']}" in caplog.text
    for secret in (added["secret"], rotated["secret"], "hidden"):
        assert secret not in caplog.text


def test_the_command_adds_lists_rotates_and_removes(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        outcome = CliRunner().invoke(main, ["webhooks", *words], obj=transport)
        assert outcome.exit_code == 0, outcome.output
        return outcome.output

    import asyncio  # noqa: PLC0415 - the command has a loop of its own

    service = asyncio.run(a_service(tmp_path))
    app: Any = create_app(service.container)
    transport = ASGITransport(app=app)
    webhook_id, secret = run("add", URL, "--kind", "failed").split()[:2]
    assert secret.startswith("whsec_")
    assert run("list") == f"{webhook_id}  {URL}  failed\n"
    assert secret not in run("rotate", webhook_id)
    run("remove", webhook_id)
    assert "there are no webhooks" in run("list")
    refused = CliRunner().invoke(main, ["webhooks", "add", "http://127.0.0.1/"], obj=transport)
    assert refused.exit_code == 1
