"""Who reads and writes which device, over HTTP and on the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from adapters.plc_files.limited_child import BrokenReaderError
from application.record_lacking_uses import EVERY
from builders.service import Service, a_service, connected
from domain.comments import DeviceComments
from domain.document import Document
from domain.ports.chunk_reader import ReadDocument
from domain.uses import USES_VERSION
from entrypoints.api.app import create_app
from entrypoints.cli.main import main
from fakes.readers import InProcessChunkReader

FEEDER = (
    "0,[Title]급지,,,,,\n8,,LD,X0,,,\n9,,OUT,M10,,,\n10,,BMOV,D0,,,\n,,,D100,,,\n,,,K10,,,\n"
    "14,,LD,M10,,,\n15,,OUT,Y0,,,\n16,,LD,M77,,,\n17,,OUT,Y0,,,\n18,,CALL,P5,,,\n19,,END,,,,\n"
)


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await indexed(tmp_path)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(service) as client:
        yield client


async def indexed(folder: Path) -> Service:
    service = await a_service(folder, {"0000_11": FEEDER})
    await service.register()
    await service.work()
    return service


async def test_a_device_is_told_with_its_comment_and_how_it_is_used(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/programs/PGM_1/devices", params={"kind": "X"})).json()
    roles = {"read": 1, "write": 0, "set": 0, "reset": 0, "preset": 0, "pulse": 0, "unknown": 0}
    item = {"device": "X0", "kind": "X", "comment": "정지 버튼", "counts": roles}
    assert body == {"pgm_id": "PGM_1", "complete": True, "items": [item], "next": None}


async def test_devices_are_paged_and_narrowed_by_how_their_names_begin(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/programs/PGM_1/devices", params={"limit": 2})).json()
    second = (await client.get("/v1/programs/PGM_1/devices", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["device"] for item in (*first["items"], *second["items"])] == ["D0", "D100", "M10", "M77"]
    narrowed = (await client.get("/v1/programs/PGM_1/devices", params={"prefix": "d1"})).json()
    assert [item["device"] for item in narrowed["items"]] == ["D100"]


async def test_a_use_is_told_with_all_that_leads_to_it(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/devices/d0105/uses")).json()
    (use,) = body["items"]
    assert (body["device"], body["complete"], body["next"]) == ("D105", True, None)
    assert (use["role"], use["instruction"], use["operand"]) == ("write", "BMOV", "D100")
    assert (use["first_device"], use["last_device"], use["open_ended"], use["shifted"]) == (
        "D100",
        "D109",
        False,
        False,
    )
    assert (use["pgm_id"], use["document_name"], use["logic_id"], use["step"]) == (
        "PGM_1",
        "0000_11.csv",
        "0000_11",
        10,
    )
    hit = (await client.post("/v1/search", json={"query": "BMOV D100"})).json()["hits"][0]
    assert use["rung_id"] == hit["rung_id"]


async def test_uses_are_narrowed(client: httpx.AsyncClient) -> None:
    for narrowed, count in (({}, 2), ({"role": "write"}, 1), ({"pgm_id": "PGM_2"}, 0), ({"pgm_id": "PGM_1"}, 2)):
        body = (await client.get("/v1/devices/M10/uses", params=narrowed)).json()
        assert len(body["items"]) == count


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/devices/H10/uses", "address"),
        ("/v1/devices/K4M0/uses", "address"),
        ("/v1/devices/Q5/uses", "address"),
        ("/v1/devices/D99999999999/uses", "address"),
        ("/v1/devices/D1/uses?role=fills", "role"),
        ("/v1/devices/D1/uses?pgm_id=7", "pgm_id"),
        ("/v1/devices/D1/uses?cursor=bm8", "cursor"),
        ("/v1/programs/PGM_1/devices?prefix=%20", "prefix"),
        ("/v1/programs/PGM_1/devices?prefix=1", "prefix"),
        ("/v1/programs/PGM_1/devices?prefix=U3%5CG1A", "prefix"),
        ("/v1/programs/PGM_1/devices?prefix=D9999999999", "prefix"),
        ("/v1/programs/PGM_1/devices?kind=%ED%95%9C", "kind"),
    ],
)
async def test_what_is_no_device_is_refused_by_name(client: httpx.AsyncClient, path: str, field: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["findings"][0]["field"]) == (422, field)


@pytest.mark.parametrize("path", ["devices", "warnings"])
async def test_of_an_unknown_program_nothing_is_told(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/v1/programs/PGM_9/{path}")).status_code == 404


async def test_warnings_come_with_their_place_and_remedy(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/programs/PGM_1/warnings")).json()
    assert body["counts"] == {
        "coil_double": 1,
        "device_never_read": 1,
        "device_never_written": 2,
        "device_no_comment": 5,
        "pointer_missing": 1,
        "pointer_unused": 0,
    }
    double = body["findings"][0]
    assert double["message"] == "2 OUT drive Y0: 0000_11.csv, step 15, …, 0000_11.csv, step 17"
    assert (double["code"], double["severity"], double["file"], double["row"]) == (
        "coil_double",
        "notice",
        "0000_11.csv",
        None,
    )


async def test_warnings_speak_korean(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/programs/PGM_1/warnings", headers={"Accept-Language": "ko"})).json()
    assert body["findings"][0]["message"].startswith("Y0에 OUT이 2개 있습니다: 0000_11.csv, 스텝 15")


async def test_what_an_older_version_indexed_gets_its_uses_without_being_embedded(service: Service) -> None:
    registry = service.registry
    before = dict(registry.committed.documents)
    registry.committed.uses.clear()
    embedded: list[object] = []

    async def note(texts: object) -> None:
        embedded.append(texts)

    service.embedder.before = note
    async with connected(service) as client:
        assert not (await client.get("/v1/programs/PGM_1/devices")).json()["complete"]
        assert await service.container.record_lacking_uses()() == len(before) - 1  # the ZIP itself is not indexed
        assert (await client.get("/v1/programs/PGM_1/devices")).json()["complete"]
        assert len((await client.get("/v1/devices/D105/uses")).json()["items"]) == 1
    assert (registry.committed.documents, embedded) == (before, [])


async def test_what_an_older_table_of_instructions_said_is_replaced_when_its_turn_comes(service: Service) -> None:
    record = service.container.record_lacking_uses()
    assert await record() == 0
    uses = service.registry.committed.uses
    uses.update({name: replace(stored, uses_version=USES_VERSION - 1) for name, stored in uses.items()})
    assert await record() == 0  # it was looked at just now
    await service.registry.clock.advance(EVERY)
    assert await record() == len(uses)
    assert {stored.uses_version for stored in uses.values()} == {USES_VERSION}


async def test_a_document_on_which_the_reader_has_a_bug_costs_no_other_its_uses_and_ends_no_worker(
    service: Service,
) -> None:
    uses = service.registry.committed.uses
    uses.clear()

    class Stumbling(InProcessChunkReader):
        async def read(
            self, source: Path, documents: Sequence[Document], comments: DeviceComments, *, scratch: Path
        ) -> list[ReadDocument]:
            if any(document.document_name == "0000_11.csv" for document in documents):
                raise BrokenReaderError("a bug")
            return await super().read(source, documents, comments, scratch=scratch)

    with service.container.chunk_reader.override(Stumbling()):
        await service.container.record_lacking_uses()()
        await service.registry.clock.advance(EVERY)
        assert await service.container.record_lacking_uses()() == 0  # and is not tried for ever
    names = {name: service.registry.committed.documents[name].document_name for name in uses}
    assert [names[name] for name, stored in uses.items() if stored.is_unreadable] == ["0000_11.csv"]
    assert len(uses) > 1


async def test_a_document_whose_bytes_are_gone_is_answered_as_incomplete_and_not_tried_for_ever(
    service: Service,
) -> None:
    service.registry.committed.uses.clear()
    for key in [document.blob_key for document in service.registry.committed.documents.values()]:
        await service.blobs.delete_below(key.rpartition("/")[0])
    await service.container.record_lacking_uses()()
    await service.registry.clock.advance(EVERY)
    assert await service.container.record_lacking_uses()() == 0
    async with connected(service) as client:
        assert not (await client.get("/v1/devices/D105/uses")).json()["complete"]
        assert (await client.post("/v1/search", json={"query": "BMOV D100"})).json()["hits"]


def test_the_command_shows_where_a_device_is_used(tmp_path: Path) -> None:
    service = asyncio.run(indexed(tmp_path))
    shown = run(service, "where-used", "D105")
    assert shown.exit_code == 0
    assert "BMOV D100" in shown.output
    assert run(service, "where-used", "D999").exit_code == 1
    assert run(service, "where-used", "H10").exit_code == 1
    answer: dict[str, Any] = json.loads(run(service, "where-used", "M10", "--role", "read", "--json").stdout)
    assert [use["step"] for use in answer["items"]] == [14]
    refused: dict[str, Any] = json.loads(run(service, "where-used", "H10", "--json").stdout)
    assert refused["findings"][0]["field"] == "address"


def run(service: Service, *arguments: str) -> Result:
    transport = httpx.ASGITransport(create_app(service.container))  # type: ignore[arg-type]  # two spellings of ASGI
    return CliRunner().invoke(main, list(arguments), obj=transport)
