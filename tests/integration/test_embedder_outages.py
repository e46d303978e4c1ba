"""An embedder behind HTTP that is wrongly configured, or hangs, under the whole product: real processes throughout."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from adapters.postgres.connection_url import asyncpg_dsn
from builders.embedding_servers import DIMENSION, EmbeddingServer, Reply, embedding_server, refusal_of
from builders.product import Product, a_product, until
from builders.uploads import CONVEYOR, DOOR, archive_of, template_of

pytestmark = pytest.mark.timeout(300)

LOGICS = {"0000_11": CONVEYOR, "0001_11": DOOR}


@pytest.fixture
def product(tmp_path: Path, database_url: str, redis_url: str, milvus_uri: str) -> Iterator[Product]:
    alias = f"test_{uuid4().hex[:12]}"
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}
    with a_product(tmp_path, **servers, MILVUS_COLLECTION_NAME=alias) as product:
        yield product
    client = MilvusClient(milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    for name in client.list_collections():
        if name.startswith(alias):
            for given_name in client.list_aliases(name)["aliases"]:
                client.drop_alias(given_name)
            client.drop_collection(name)
    client.close()


async def test_a_wrong_dimension_fails_no_document_and_once_it_is_mended_all_is_indexed_by_itself(
    product: Product, database_url: str
) -> None:
    async with embedding_server() as server:
        wrong = _settings_of(server) | {"MILVUS_EMBEDDING_DIM": str(DIMENSION // 2)}
        api, worker = product.api(**wrong), product.worker(**wrong)
        async with _client(api.url) as client:
            href = await _registered(client)
            await until(lambda: _is_put_off(client), within_s=60)
            await _let_a_minute_pass(database_url)
            asked = len(server.seen)
            await until(lambda: _is_asked_again(server, asked), within_s=60)
            await until(lambda: _is_put_off(client), within_s=60)

            progress = (await client.get(href)).json()
            assert (progress["counts"]["failed"], progress["counts"]["indexed"]) == (0, 0)
            oldest = (await client.get("/v1/operations")).json()["oldest"]
            assert (oldest["waits_for"], oldest["last_failure"]["code"]) == ("next_attempt", "misconfigured")
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            assert "MILVUS_EMBEDDING_DIM" not in ready.text
            assert "MILVUS_EMBEDDING_DIM" in (await client.get("/v1/operations")).text
            assert "MILVUS_EMBEDDING_DIM" in api.said
            assert "MILVUS_EMBEDDING_DIM" in worker.said
            history = (await client.get(f"/v1/programs/{oldest['pgm_id']}/failures")).json()["items"]
            assert [entry["code"] for entry in history] == ["misconfigured"]
        worker.end()
        api.end()

        mended = _settings_of(server)
        api = product.api(**mended)
        product.worker(**mended, INDEX_FOLLOWS_MODEL="true")
        async with _client(api.url) as client:
            await _let_a_minute_pass(database_url)
            await until(lambda: _is_indexed(client, href), within_s=60)
            answer = await client.post("/v1/search", json={"query": "X0"})
            assert answer.json()["hits"], answer.text


async def test_a_document_whose_text_is_refused_fails_alone(product: Product) -> None:
    async with embedding_server() as server:
        server.refuses = _refuses_doors
        settings = _settings_of(server)
        api = product.api(**settings)
        product.worker(**settings)
        async with _client(api.url) as client:
            href = await _registered(client)
            await until(lambda: _is_done(client, href), within_s=60)
            progress = (await client.get(href)).json()
            assert progress["counts"]["indexed"] == 2, progress  # the template and the other logic
            (error,) = progress["errors"]
            assert error["code"] == "text_refused"


async def test_a_search_on_an_embedder_that_hangs_is_refused_in_time_and_soon_at_once(product: Product) -> None:
    async with embedding_server() as server:
        settings = _settings_of(server)
        api = product.api(**settings)
        product.worker(**settings)
        async with _client(api.url) as client:
            href = await _registered(client)
            await until(lambda: _is_indexed(client, href), within_s=60)
            server.faults = [_hangs] * 1_000
            took_s = []
            for _ in range(6):
                began = time.monotonic()
                answer = await client.post("/v1/search", json={"query": "X0"})
                took_s.append(time.monotonic() - began)
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                assert answer.headers["retry-after"]
            assert max(took_s) < 5
            assert min(took_s) < 1
            lexical = await client.post("/v1/search", json={"query": "X0", "mode": "lexical"})
            assert lexical.json()["hits"]
            server.faults = []
            await until(lambda: _is_found(client), within_s=30)


def _settings_of(server: EmbeddingServer) -> dict[str, str]:
    return {
        "EMBEDDING_MODEL": "openai",
        "EMBEDDING_MODEL_NAME": "hashing",
        "EMBEDDING_BASE_URL": f"{server.address}/v1",
        "EMBEDDING_API_KEY": "key",
        "MILVUS_EMBEDDING_DIM": str(DIMENSION),
    }


def _hangs(*_: object) -> Reply:
    return Reply(beforehand=lambda: asyncio.sleep(600))


def _refuses_doors(texts: list[str]) -> Reply | None:
    return refusal_of("not this one", status=400) if any("잠금" in text for text in texts) else None


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)


async def _registered(client: httpx.AsyncClient) -> str:
    """Upload a program once the service takes it; where its progress is told."""
    await until(lambda: _is_alive(client), within_s=60)
    files = {
        "pgm_ladder_zip_file": ("ladder.zip", archive_of(LOGICS)),
        "pgm_template_file": ("template.xlsx", template_of(("0", "이송부", "", logic, "L") for logic in LOGICS)),
    }
    answer = await client.post("/v1/programs", data={"pgm_name": "시험", "create_user": "kim"}, files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["indexing"]["href"])


async def _let_a_minute_pass(database_url: str) -> None:
    """For the events; the server's clock cannot be moved, its record of when they are due can."""
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    await connection.execute(
        "UPDATE outbox SET next_attempt_at = next_attempt_at - INTERVAL '1 minute' WHERE lease_token IS NULL"
    )
    await connection.close()


async def _is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False


async def _is_put_off(client: httpx.AsyncClient) -> bool:
    oldest: dict[str, Any] | None = (await client.get("/v1/operations")).raise_for_status().json()["oldest"]
    return oldest is not None and oldest["waits_for"] == "next_attempt" and oldest["last_failure"] is not None


async def _is_asked_again(server: EmbeddingServer, asked: int) -> bool:
    return any(len(seen.body["input"]) > 1 for seen in server.seen[asked:])


async def _is_indexed(client: httpx.AsyncClient, href: str) -> bool:
    try:
        progress = (await client.get(href)).raise_for_status().json()
    except httpx.TransportError:
        return False
    assert progress["counts"]["failed"] == 0, progress
    return bool(progress["status"] == "indexed")


async def _is_done(client: httpx.AsyncClient, href: str) -> bool:
    progress = (await client.get(href)).raise_for_status().json()
    return bool(progress["done"] == progress["total"])


async def _is_found(client: httpx.AsyncClient) -> bool:
    return (await client.post("/v1/search", json={"query": "X0"})).status_code == 200
