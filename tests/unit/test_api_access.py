"""Who is let in: every route there is, with every kind of credential, and what is told and logged of it."""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response
from litestar import Litestar, get
from litestar.routes import HTTPRoute

from builders.service import Service, a_service, connected
from domain.caller import Caller, Scope
from entrypoints.api import search
from entrypoints.api.access import MAX_CREDENTIAL_CHARACTERS
from entrypoints.api.app import create_app
from entrypoints.api.needs import Needed, needed_by
from entrypoints.container import Container
from fakes.key_repo import CountingKeyRepo
from fakes.token_verifier import InMemoryTokenVerifier

ROOT = Path(__file__).parents[2]
A_DAY = timedelta(days=1)
SAMPLES = {
    "pgm_id": "PGM_1",
    "document_id": "PGM_1-r1-0001",
    "webhook_id": "wh_000000000001",
    "address": "D100",
    "rung_id": "PGM_1-r1-0001.g1.0",
    "path": "nothing",
}
OPEN_ROUTES = {
    "GET /healthz",
    "GET /readyz",
    "GET /version",
    "GET /schema",
    "GET /schema/openapi.json",
    "GET /schema/{path}",
}
LEAST_BELOW = {Scope.WRITE: Scope.READ, Scope.ADMIN: Scope.WRITE}


@dataclass(frozen=True)
class Guarded:
    """A service that asks who is there, and credentials of every kind."""

    service: Service
    tokens: InMemoryTokenVerifier
    keys: Mapping[Scope, str]
    refused: Mapping[str, list[tuple[str, str]]]

    @property
    def secrets(self) -> set[str]:
        """What no log line may hold."""
        values = [value for headers in self.refused.values() for _, value in headers]
        texts = [*self.keys.values(), *(value.partition(" ")[2] for value in values), *self.tokens.callers]
        return {text for text in texts if len(text) > 8} | {text.rpartition("_")[2] for text in texts if "lb_" in text}


def bearer(credential: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {credential}")]


async def guarded(tmp_path: Path) -> Guarded:
    tokens = InMemoryTokenVerifier()
    service = await a_service(tmp_path, auth_required=True, tokens=tokens)

    async def key(owner: str, *scopes: Scope, lives_for: timedelta = 9 * A_DAY) -> str:
        created = await service.container.create_key()(owner, frozenset(scopes), lives_for)
        return str(created.text)

    keys = {scope: await key(f"{scope} only", scope) for scope in Scope}
    expired, revoked = await key("expired", Scope.ADMIN, lives_for=A_DAY), await key("revoked", Scope.ADMIN)
    await service.container.revoke_key()(revoked)
    await service.registry.clock.advance(2 * A_DAY)
    right = keys[Scope.ADMIN]
    refused = {
        "none": [],
        "empty": [("Authorization", "")],
        "no credential": [("Authorization", "Bearer ")],
        "another scheme": [("Authorization", f"Basic {right}")],
        "no scheme": [("Authorization", right)],
        "in another header": [("X-API-Key", right)],
        "two": bearer(right) * 2,
        "cut off": bearer(right[:-1]),
        "too long": bearer("x" * (MAX_CREDENTIAL_CHARACTERS + 1)),
        "not ASCII": bearer("lb_키"),
        "unknown": bearer("lb_" + "0" * 12 + "_" + "f" * 64),
        "wrong secret": bearer(right[:-64] + "e" * 64),
        "expired": bearer(expired),
        "revoked": bearer(revoked),
        "wrong token": bearer("eyJhbGciOiJub25lIn0.e30."),
    }
    return Guarded(service=service, tokens=tokens, keys=keys, refused=refused)


@pytest.fixture
async def product(tmp_path: Path) -> Guarded:
    return await guarded(tmp_path)


@pytest.fixture
async def client(product: Guarded) -> AsyncIterator[AsyncClient]:
    async with connected(product.service) as client:
        yield client


def routes(app: Litestar) -> Iterator[tuple[str, str, Needed]]:
    """Method, path and what it needs, from the application's own table: a new route is in it."""
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"no test knows how to ask {route.path}"
        for method, (handler, _) in route.route_handler_map.items():
            yield method, route.path_format, needed_by(handler)


def table(app: Litestar) -> dict[str, Needed]:
    return {f"{method} {path}": needed for method, path, needed in routes(app) if method != "OPTIONS"}


async def ask(client: AsyncClient, route: str, headers: list[tuple[str, str]]) -> Response:
    method, path = route.split(" ")
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return await client.request(method, path.format(**SAMPLES), headers=encoded)


async def test_every_route_lets_in_whom_it_says_and_nobody_else(
    product: Guarded, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    table_ = {
        route: needed for route, needed in table(create_app(product.service.container)).items() if needed != "nothing"
    }
    assert len(table_) > 15
    for route, needed in table_.items():
        for kind, headers in product.refused.items():
            answer = await ask(client, route, headers)
            assert answer.status_code == 401, (route, kind)
            assert route.startswith("HEAD") or answer.json()["code"] == "unauthenticated", (route, kind)
        assert isinstance(needed, Scope), f"{route} does not say what it needs"
        if needed in LEAST_BELOW:
            answer = await ask(client, route, bearer(product.keys[LEAST_BELOW[needed]]))
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), route
            assert f"the scope {needed}" in answer.json()["detail"]
            assert f'error="insufficient_scope", scope="{needed}"' in answer.headers["www-authenticate"]
        answer = await ask(client, route, bearer(product.keys[needed]))
        assert answer.status_code not in {401, 403, 500}, route
    assert not [secret for secret in product.secrets if secret in caplog.text]


async def test_what_is_open_to_all_asks_for_nothing(product: Guarded, client: AsyncClient) -> None:
    app = create_app(product.service.container)
    assert {route for route, needed in table(app).items() if needed == "nothing"} == OPEN_ROUTES
    for route in OPEN_ROUTES:
        for headers in product.refused.values():
            assert (await ask(client, route, headers)).status_code in {200, 404}, route


async def test_the_methods_of_a_path_are_told_to_all(product: Guarded, client: AsyncClient) -> None:
    answer = await client.options("/v1/programs")
    assert answer.status_code == 204
    assert answer.content == b""


async def test_a_token_opens_what_its_scopes_say(product: Guarded, client: AsyncClient) -> None:
    def token(*scopes: Scope) -> list[tuple[str, str]]:
        caller = Caller(identity="token:7f3c", name="kim", scopes=frozenset(scopes), credential="token")
        return bearer(product.tokens.token_of(caller))

    assert (await ask(client, "GET /v1/programs", token(Scope.READ))).status_code == 200
    assert (await ask(client, "GET /v1/programs", token())).status_code == 403
    assert (await ask(client, "DELETE /v1/programs/{pgm_id}", token(Scope.READ))).status_code == 403


async def test_an_issuer_that_is_away_is_a_503_and_not_the_caller_s_fault(
    product: Guarded, client: AsyncClient
) -> None:
    product.tokens.is_away = True
    answer = await ask(client, "GET /v1/programs", bearer("eyJ.e30.x"))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "identity provider" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"


async def test_a_database_that_is_away_is_a_503_and_not_the_caller_s_fault(tmp_path: Path) -> None:
    service = await a_service(tmp_path, auth_required=True)
    down = CountingKeyRepo(service.registry.clock)
    down.is_down = True
    service.container.known_keys()._keys = down
    async with connected(service) as client:
        answer = await ask(client, "GET /v1/programs", bearer("lb_" + "0" * 12 + "_" + "f" * 64))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_wrong_revoked_and_expired_are_told_apart_in_the_log_alone(
    product: Guarded, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    told = set()
    for kind in ("unknown", "wrong secret", "expired", "revoked", "wrong token", "cut off"):
        answer = await ask(client, "GET /v1/programs", product.refused[kind])
        told.add((answer.json()["detail"], answer.json()["title"], answer.headers["www-authenticate"]))
    assert len(told) == 1
    assert told.pop()[2] == 'Bearer realm="ladderbase", error="invalid_token"'
    lines = [record.getMessage() for record in caplog.records if record.name == "ladderbase.security"]
    reasons = [re.findall(r"reason=(\"[^\"]*\"|\S+) ", line)[0] for line in lines]
    assert reasons == [
        '"there is no such key"',
        '"its secret is another"',
        '"the key is expired"',
        '"the key is revoked"',
        '"it is no token"',
        '"it is cut off or misspelled"',
    ]
    prefix = product.keys[Scope.ADMIN].split("_")[1]
    assert f"credential={prefix}" in lines[1]


async def test_whoever_sends_nothing_is_told_what_to_send(client: AsyncClient) -> None:
    answer = await client.get("/v1/programs")
    assert answer.headers["www-authenticate"] == 'Bearer realm="ladderbase"'
    assert "Authorization: Bearer" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_is_refused_after_a_byte_of_the_body_was_read(client: AsyncClient) -> None:
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x" * 1_000

    for route in ("/v1/programs", "/v1/search"):
        answer = await client.post(route, content=body(), headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 401
    assert read == []


async def test_a_route_that_says_nothing_is_served_to_nobody(
    product: Guarded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @get("/v1/forgotten")
    async def forgotten() -> str:
        return "secret"

    monkeypatch.setattr(search, "HANDLERS", (*search.HANDLERS, forgotten))
    async with connected(product.service) as client:
        assert (await client.get("/v1/forgotten")).status_code == 401
        assert (await client.get("/v1/forgotten", headers=bearer(product.keys[Scope.ADMIN]))).status_code == 403
    (tmp_path / "open").mkdir()
    async with connected(await a_service(tmp_path / "open")) as client:
        assert (await client.get("/v1/forgotten")).status_code == 403


def test_a_container_that_says_nothing_asks_who_is_there() -> None:
    assert Container().auth_required() is True


async def test_the_table_of_the_manual_is_that_of_the_application(product: Guarded) -> None:
    manual = (ROOT / "docs/auth.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z]+ /\S+)` \| (\w+) \|$", manual, flags=re.MULTILINE))
    expected = {
        route: str(needed)
        for route, needed in table(create_app(product.service.container)).items()
        if route not in {"GET /schema", "GET /schema/{path}"}
    }
    assert rows == expected


async def test_the_document_says_what_each_operation_needs(product: Guarded, client: AsyncClient) -> None:
    document: Any = (await client.get("/schema/openapi.json")).json()
    schemes = document["components"]["securitySchemes"]
    assert {name: (scheme["type"], scheme["scheme"]) for name, scheme in schemes.items()} == {
        "api_key": ("http", "bearer"),
        "token": ("http", "bearer"),
    }
    for route, needed in table(create_app(product.service.container)).items():
        method, path = route.split(" ")
        if path.startswith("/schema"):
            continue
        operation = document["paths"][path][method.lower()]
        if needed == "nothing":
            assert operation["security"] == [{}]
            assert not {"401", "403"} & operation["responses"].keys()
        else:
            assert operation["security"] == [{"api_key": [needed]}, {"token": [needed]}]
            for status in ("401", "403"):
                told = operation["responses"][status]
                assert method == "HEAD" or "application/problem+json" in told["content"]


async def test_what_is_carried_out_is_logged_with_who_did_it_and_to_what(
    product: Guarded, client: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = product.keys[Scope.WRITE]
    await register(client, product, key)
    await ask(client, "POST /v1/programs/{pgm_id}/retry", bearer(key))
    await ask(client, "GET /v1/programs", bearer(key))
    await ask(client, "DELETE /v1/programs/{pgm_id}", bearer(key))
    await ask(client, "DELETE /v1/programs/{pgm_id}", bearer(key))  # is not there any more
    lines = [record.getMessage() for record in caplog.records if record.name == "ladderbase.security"]
    prefix = key.split("_")[1]
    assert [re.sub(r" request_id=\w+$", "", line) for line in lines] == [
        f'audit action={action} object=PGM_1 status={status} caller="key:write only" credential={prefix}'
        for action, status in (("register_program", 201), ("retry_program", 202), ("delete_program", 204))
    ]
    assert not [secret for secret in product.secrets if secret in caplog.text]


async def register(client: AsyncClient, product: Guarded, key: str, **texts: str) -> Response:
    upload = product.service.upload
    files = {
        "pgm_ladder_zip_file": ("a.zip", upload.ladder_zip.path.read_bytes()),
        "pgm_template_file": ("t.xlsx", upload.template.path.read_bytes()),
    }
    headers = [*bearer(key), ("Idempotency-Key", "7f3c")]
    return await client.post("/v1/programs", data={"pgm_name": "line", **texts}, files=files, headers=headers)


async def test_the_owner_of_the_key_is_who_uploads(product: Guarded, client: AsyncClient) -> None:
    key = product.keys[Scope.WRITE]
    answer = await register(client, product, key)
    assert (answer.status_code, answer.json()["create_user"]) == (201, "write only")
    again = await register(client, product, key, create_user="write only")
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_form_that_names_another_is_refused(product: Guarded, client: AsyncClient) -> None:
    answer = await register(client, product, product.keys[Scope.WRITE], create_user="kim")
    assert (answer.status_code, answer.json()["code"]) == (422, "create_user_mismatch")
    (finding,) = answer.json()["findings"]
    assert (finding["field"], finding["hint"]) == ("create_user", "Leave create_user out.")
    assert "write only" in finding["message"]


async def test_an_idempotency_key_is_its_caller_s_own(product: Guarded, client: AsyncClient) -> None:
    first = await register(client, product, product.keys[Scope.WRITE])
    other = await register(client, product, product.keys[Scope.ADMIN])
    assert (first.status_code, other.status_code) == (201, 201)
    assert "idempotency-replayed" not in other.headers
    assert other.json()["pgm_id"] == "PGM_2"
    second = (await product.service.container.create_key()("write only", frozenset({Scope.WRITE}), A_DAY)).text
    assert (await register(client, product, second)).headers["idempotency-replayed"] == "true"
