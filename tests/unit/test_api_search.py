"""Search over HTTP, and which JSON it takes."""

import logging
import unicodedata
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.testing import AsyncTestClient

from builders.service import Service, a_service
from builders.uploads import CONVEYOR
from domain.errors import MisconfiguredError, UnavailableError
from domain.search import Candidate, SearchScope
from domain.vectors import Vectors
from entrypoints.api.app import create_app
from fakes.embedder import HashingEmbedder
from fakes.vector_index import InMemoryVectorIndex

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one application for all: it is only read from

Client = AsyncTestClient[Litestar]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    tmp_path = tmp_path_factory.mktemp("service")
    service = await a_service(tmp_path)
    await service.register()
    await service.work()
    return service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(service: Service) -> AsyncIterator[Client]:
    async with AsyncTestClient(create_app(service.container)) as client:
        yield client


async def test_a_hit_shows_the_rung_with_its_place_and_comments(client: Client) -> None:
    answer = await client.post("/v1/search", json={"query": "Y0 M10", "limit": 1})
    body = answer.json()
    (hit,) = body["hits"]
    assert answer.status_code == 200
    assert (hit["pgm_id"], hit["document_name"], hit["document_type"]) == ("PGM_1", "0000_11.csv", "PGM_LADDER_CSV")
    assert (hit["logic_id"], hit["folder_name"], hit["sub_folder_name"]) == ("0000_11", "이송부", "")
    assert (hit["first_step"], hit["last_step"]) == (10, 11)
    assert hit["ladder"] == "LD M10\nSET Y0"
    assert "lexical" in hit["lanes"]
    assert hit["score"] > 0
    assert body["took_ms"] >= 0


async def test_the_comments_of_a_rung_come_with_it(client: Client) -> None:
    answer = await client.post("/v1/search", json={"query": "정지 버튼", "mode": "lexical"})
    hit = answer.json()["hits"][0]
    assert {"device": "X0", "comment": "정지 버튼"} in hit["devices"]


async def test_filters_keep_other_logics_out(client: Client) -> None:
    asked = {"query": "L0000_11 L0001_11", "logic_id": "0001_11", "document_type": "PGM_LADDER_CSV"}
    hits = (await client.post("/v1/search", json=asked)).json()["hits"]
    assert {hit["logic_id"] for hit in hits} == {"0001_11"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_a_scope_is_found_in_both_spellings(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    service = await a_service(tmp_path, {"컨베이어": CONVEYOR})
    await service.register()
    await service.work()
    async with AsyncTestClient(create_app(service.container)) as client:
        asked = {"query": "Y0", "logic_id": unicodedata.normalize(form, "컨베이어")}
        answer = await client.post("/v1/search", json=asked)
    assert {hit["logic_id"] for hit in answer.json()["hits"]} == {"컨베이어"}


async def test_a_program_without_hits_answers_an_empty_list(client: Client) -> None:
    answer = await client.post("/v1/search", json={"query": "Y0", "pgm_id": "PGM_7"})
    assert (answer.status_code, answer.json()["hits"]) == (200, [])


@pytest.mark.parametrize("query", ["🙂", "정지", "stop the", 'pgm_id == "x" or 1==1', "a" * 2_000, "*", "\\"])
async def test_any_text_is_searched(client: Client, query: str) -> None:
    answer = await client.post("/v1/search", json={"query": query})
    assert answer.status_code == 200


class SilentIndex(InMemoryVectorIndex):
    async def dense(self, vector: Vectors, scope: SearchScope, *, limit: int) -> list[Candidate]:
        raise UnavailableError("milvus", "connection refused by 10.0.0.9:19530")


async def test_an_index_that_is_down_is_a_503_and_not_an_empty_answer(tmp_path: Path) -> None:
    index = SilentIndex()
    await index.prepare()
    service = await a_service(tmp_path, index=index)
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.post("/v1/search", json={"query": "Y0"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "10.0.0.9" not in answer.text


class RefusedEmbedder(HashingEmbedder):
    async def embed(self, texts: Sequence[str]) -> Vectors:
        raise MisconfiguredError("the embedder refuses the key, OPENAI_API_KEY (HTTP 401: /srv/secret)")


async def test_a_wrong_setting_is_a_503_that_tells_the_log_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = await a_service(tmp_path, embedder=RefusedEmbedder())
    async with AsyncTestClient(create_app(service.container)) as client:
        answer = await client.post("/v1/search", json={"query": "Y0"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "misconfigured")
    assert problem["title"] == "The service is wrongly configured: its operator must act."
    assert answer.headers["retry-after"] == "60"
    assert "OPENAI" not in answer.text
    assert "secret" not in answer.text
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "OPENAI_API_KEY" in told.getMessage()
    assert problem["request_id"] in told.getMessage()


@pytest.mark.parametrize("limit", [b"1.0", b"1e0", b"10e-1"])
async def test_a_whole_number_may_be_written_with_a_point(client: Client, limit: bytes) -> None:
    body = b'{"query":"Y0 M10","limit":' + limit + b"}"
    answer = await client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, len(answer.json()["hits"])) == (200, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_shape"),
        (b"  ", "json_shape"),
        (b"null", "json_shape"),
        (b"3", "json_shape"),
        (b"[]", "json_shape"),
        (b"[" * 30_000, "json_too_deep"),
        (b'{"query":"a","limit":NaN}', "json_invalid"),
        (b'{"query":"a","limit":Infinity}', "json_invalid"),
        (b'{"query":"a","limit":-0}', "json_invalid"),
        (b'{"query":"a","limit":1e400}', "json_invalid"),
        (b'{"query":"a","limit":' + b"9" * 10_000 + b"}", "json_number"),
        (b'{"query":"a","query":"b"}', "json_duplicate_key"),
        (b'{"query":"\\ud800"}', "text_invalid"),
        (b'{"query":"\\u0000"}', "text_invalid"),
        (b'\xef\xbb\xbf{"query":"a"}', "json_invalid"),
        ('{"query":"a"}'.encode("utf-16"), "json_invalid"),
        (b'{"query":"a",}', "json_invalid"),
        (b'{"query":"a"} {}', "json_invalid"),
        (b'{"query":"a"/*x*/}', "json_invalid"),
        (b'{"__proto__":{},"query":"a"}', "field_unknown"),
        (b'{"query":""}', "field_invalid"),
        (b'{"query":"' + b"a" * 2_001 + b'"}', "field_invalid"),
        (b'{"query":"   "}', "field_invalid"),
        (b'{"query":"a","limit":1000000000}', "field_invalid"),
        (b'{"query":"a","limit":"10"}', "field_invalid"),
        (b'{"query":"a","limit":1.5}', "field_invalid"),
        (b'{"query":"a","limit":1e300}', "field_invalid"),
        (b'{"query":"a","mode":"magic"}', "field_invalid"),
        (b'{"query":["a"]}', "field_invalid"),
        (b"{}", "field_missing"),
    ],
)
async def test_what_is_no_search_is_refused_with_its_code(client: Client, body: bytes, code: str) -> None:
    answer = await client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert "`" not in answer.text
    assert "str" not in problem["detail"]


async def test_a_huge_body_is_refused_before_it_is_read(client: Client) -> None:
    answer = await client.post(
        "/v1/search", content=b"{" + b" " * 100_000, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "json_too_large")


async def test_a_compressed_body_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/v1/search", content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "encoding_unsupported")


async def test_where_json_breaks_is_told_by_line_and_column(client: Client) -> None:
    answer = await client.post("/v1/search", content=b'{\n "query": x}', headers={"Content-Type": "application/json"})
    assert "line 2, column 11" in answer.json()["detail"]
