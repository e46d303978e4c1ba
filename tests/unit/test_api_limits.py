"""Limits over HTTP: who is told to come again and when, and that nobody reads the body of a request that is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from builders.service import Service, a_service, connected, some_limits
from domain.caller import Caller, Scope
from domain.errors import UnavailableError
from domain.ports.upload_reader import UploadReader
from domain.upload import InspectedUpload, Upload
from entrypoints.api.access import origin_of
from fakes.registry import ManualClock
from fakes.token_verifier import InMemoryTokenVerifier

FILES = {"pgm_ladder_zip_file": ("a.zip", b"x"), "pgm_template_file": ("t.xlsx", b"x")}
DRY_RUN = "/v1/programs/validate"


class HeldReader(UploadReader):
    """Reads nothing until it is let go on."""

    def __init__(self, inspected: InspectedUpload) -> None:
        self.inspected = inspected
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.go_on = asyncio.Event()

    async def inspect(self, upload: Upload) -> InspectedUpload:
        self.begun.put_nowait(None)
        await self.go_on.wait()
        return self.inspected


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def limited(folder: Path, **limits: Any) -> Service:
    """A service that knows kim and lee. Its clock stands still."""
    clock = ManualClock()
    tokens = InMemoryTokenVerifier()
    for name in ("kim", "lee"):
        tokens.callers[name] = Caller(identity=f"token:{name}", name=name, scopes=frozenset({Scope.WRITE}))
    return await a_service(
        folder,
        auth_required=True,
        tokens=tokens,
        limits=some_limits(lambda: clock().timestamp(), **limits),
    )


@asynccontextmanager
async def held_uploads(service: Service, client: AsyncClient, *names: str) -> AsyncIterator[HeldReader]:
    """An upload under way for each of the names."""
    reader = HeldReader(service.inspected)
    service.container.upload_reader.override(reader)
    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(client.post(DRY_RUN, files=FILES, headers=bearer(name))) for name in names]
        for _ in names:
            await reader.begun.get()
        yield reader
        reader.go_on.set()
    assert [upload.result().status_code for upload in uploads] == [200] * len(names)


def told(answer: Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.headers["retry-after"]


async def unread() -> AsyncIterator[bytes]:
    raise AssertionError("somebody reads the body")
    yield b""


async def upload_unread(client: AsyncClient, name: str, path: str = DRY_RUN, method: str = "POST") -> Response:
    """An upload whose body fails the test when it is asked for."""
    headers = {**bearer(name), "Content-Type": "multipart/form-data; boundary=x", "Content-Length": "1000"}
    return await client.request(method, path, content=unread(), headers=headers)


async def test_an_upload_without_a_place_is_told_to_come_again_before_its_body_is_read(tmp_path: Path) -> None:
    service = await limited(tmp_path, places=(2, 2))
    async with connected(service) as client:
        async with held_uploads(service, client, "kim", "lee"):
            for method, path in (("POST", DRY_RUN), ("POST", "/v1/programs"), ("PUT", "/v1/programs/PGM_1/files")):
                assert told(await upload_unread(client, "lee", path, method)) == (503, "busy", "5")
            assert (await client.get("/v1/programs", headers=bearer("lee"))).status_code == 200
        assert (await client.post(DRY_RUN, files=FILES, headers=bearer("lee"))).status_code == 200


async def test_one_caller_cannot_take_all_places_and_another_finds_one(tmp_path: Path) -> None:
    service = await limited(tmp_path, places=(3, 2))
    async with connected(service) as client, held_uploads(service, client, "kim", "kim", "lee"):
        assert told(await upload_unread(client, "kim")) == (429, "rate_limited", "5")
        assert told(await upload_unread(client, "lee")) == (503, "busy", "5")


@pytest.mark.parametrize("reader", [None, ZeroDivisionError("a bug")])
async def test_a_place_comes_back_whatever_becomes_of_the_upload(tmp_path: Path, reader: Exception | None) -> None:
    class Broken(UploadReader):
        async def inspect(self, upload: Upload) -> InspectedUpload:
            raise reader or UnavailableError("scratch disk", "it is full")

    service = await limited(tmp_path, places=(1, 1))
    service.container.upload_reader.override(Broken())
    async with connected(service) as client:
        answers = [await client.post(DRY_RUN, files=FILES, headers=bearer("kim")) for _ in range(3)]
        malformed = [await client.post(DRY_RUN, content=b"x", headers=bearer("kim")) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {500 if reader else 503}
    assert {answer.json()["code"] for answer in answers} == {"internal_error" if reader else "unavailable"}
    assert {answer.status_code for answer in malformed} == {415}


async def test_a_place_comes_back_from_a_client_that_goes_away(tmp_path: Path) -> None:
    service = await limited(tmp_path, places=(1, 1))
    async with connected(service) as client:
        reader = HeldReader(service.inspected)
        service.container.upload_reader.override(reader)
        leaving = asyncio.create_task(client.post(DRY_RUN, files=FILES, headers=bearer("kim")))
        await reader.begun.get()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        reader.go_on.set()
        assert (await client.post(DRY_RUN, files=FILES, headers=bearer("kim"))).status_code == 200


async def test_uploads_and_searches_are_counted_apart_and_for_each_caller(tmp_path: Path) -> None:
    service = await limited(tmp_path, uploads=2, searches=3)

    async def search(name: str) -> Response:
        return await client.post("/v1/search", json={"query": "M1"}, headers=bearer(name))

    async with connected(service) as client:
        uploads = [await client.post(DRY_RUN, files=FILES, headers=bearer("kim")) for _ in range(2)]
        assert [answer.status_code for answer in uploads] == [200, 200]
        assert told(await upload_unread(client, "kim")) == (429, "rate_limited", "30")
        assert [(await search("kim")).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert told(await search("kim")) == (429, "rate_limited", "20")
        assert (await search("lee")).status_code == 200
        assert (await client.get("/v1/programs", headers=bearer("kim"))).status_code == 200


async def test_who_is_not_let_in_takes_nothing(tmp_path: Path) -> None:
    service = await limited(tmp_path, places=(1, 1), uploads=1)
    async with connected(service) as client:
        refused = [(await upload_unread(client, "nobody")).status_code for _ in range(5)]
        assert refused == [401] * 5
        assert (await client.post(DRY_RUN, files=FILES, headers=bearer("kim"))).status_code == 200


async def test_one_caller_cannot_take_all_streams_and_another_finds_one(tmp_path: Path) -> None:
    service = await limited(tmp_path, streams=3, streams_of_caller=2)
    streams = service.container.limits().streams
    url = "/v1/programs/PGM_1/indexing/events"
    async with connected(service) as client:
        with streams.taken_by("token:kim"), streams.taken_by("token:kim"):
            refused = await client.get(url, headers=bearer("kim"))
            let_in = await client.get(url, headers=bearer("lee"))
        let_in_again = await client.get(url, headers=bearer("kim"))
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "rate_limited", "5")
    assert (let_in.status_code, let_in_again.status_code) == (404, 404)  # there is no such program


async def test_where_nobody_is_asked_who_they_are_places_alone_are_counted(tmp_path: Path) -> None:
    limits = some_limits(lambda: 0.0, places=(2, 1), uploads=1, searches=1)
    service = await a_service(tmp_path, limits=limits)
    async with connected(service) as client, held_uploads(service, client, "kim", "kim"):
        assert told(await upload_unread(client, "kim")) == (503, "busy", "5")
        searches = [(await client.post("/v1/search", json={"query": "M1"})).status_code for _ in range(3)]
    assert searches == [200, 200, 200]


async def test_keys_that_nobody_knows_are_bounded_for_their_address(tmp_path: Path) -> None:
    service = await limited(tmp_path, unknown_keys=3)
    async with connected(service) as client:
        answers = [
            await client.get("/v1/programs", headers=bearer(f"lb_{number:012x}_{'0' * 64}")) for number in range(5)
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert told(answers[-1]) == (429, "rate_limited", "20")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("x" * 60_000, "x" * 64),
        ("", ""),
    ],
)
def test_an_origin_is_an_address_or_the_network_of_one_machine(host: str, origin: str) -> None:
    assert origin_of(host) == origin


async def test_the_document_says_where_one_is_told_to_wait(tmp_path: Path) -> None:
    async with connected(await a_service(tmp_path)) as client:
        document = (await client.get("/schema/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            is_open = path in {"/healthz", "/readyz", "/version"}
            assert ("429" in operation["responses"]) is not is_open, path
            for status in {"429", "503"} & operation["responses"].keys():
                assert operation["responses"][status]["headers"]["Retry-After"]["schema"]["type"] == "integer"
