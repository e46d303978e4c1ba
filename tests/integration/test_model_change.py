"""The embedding model is changed while searches go on, and a lost collection comes back: real processes throughout."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymilvus import MilvusClient

from adapters.embedding.embedded import MODEL as EMBEDDED
from adapters.milvus.connection import CHANNEL_OPTIONS
from builders.embedding_servers import DIMENSION, EmbeddingServer, embedding_server
from builders.product import Product, Program, a_product, until
from builders.uploads import CONVEYOR, DOOR, archive_of, template_of

pytestmark = pytest.mark.timeout(300)

# Titles of their own: alike texts are embedded once.
LOGICS = {
    f"{number:04d}_11": CONVEYOR.replace("M10", f"M{number}").replace("정지", f"{number}번 정지")
    for number in range(60)
}
OLD_MODEL, NEW_MODEL = EMBEDDED.name, "openai:hashing"


@pytest.fixture
def alias() -> str:
    return f"test_{uuid4().hex[:12]}"


@pytest.fixture
def milvus(milvus_uri: str, alias: str) -> Iterator[MilvusClient]:
    """A back door, which removes whatever the test made."""
    client = MilvusClient(milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    yield client
    _drop_all(client, alias)
    client.close()


@pytest.fixture
def servers(database_url: str, redis_url: str, milvus_uri: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}


@pytest.fixture
def product(tmp_path: Path, servers: dict[str, str], milvus: MilvusClient, alias: str) -> Iterator[Product]:
    with a_product(tmp_path, **servers, MILVUS_COLLECTION_NAME=alias, EMBEDDING_MODEL="embedded") as product:
        yield product


@dataclass(slots=True, kw_only=True)
class Asked:
    """What searches were answered with, in their order: the model, or the status of a refusal."""

    answers: list[str] = field(default_factory=list)
    empty: int = 0


async def test_searches_are_answered_by_the_old_index_until_the_new_one_is_whole(product: Product) -> None:
    old_api, old_worker = product.api(), product.worker()
    async with embedding_server() as embedder, _client(old_api) as client:
        await _registered(client, LOGICS)
        new = _settings_of(embedder)
        new_api = product.api(**new)
        await until(lambda: _is_alive(new_api), within_s=60)
        async with _searched(old_api) as of_old, _searched(new_api) as of_new:
            stopped = product.command("reindex", "--all", **new)
            await until(lambda: _has_begun(embedder), within_s=60)
            assert await asyncio.to_thread(stopped.end) == 3
            assert "the next call goes on" in stopped.said
            reindex = product.command("reindex", "--all", **new)  # not kept waiting by the one before
            await _registered(client, {"9999_11": DOOR})  # while the other one is built
            assert await asyncio.to_thread(reindex.process.wait, 120) == 0, reindex.said
            await until(lambda: _has_answered(of_new), within_s=30)

        assert set(of_old.answers) == {OLD_MODEL}
        assert len(of_old.answers) > 20
        assert of_new.answers[0] == "503"  # and later where a busy machine takes longer than a search may
        assert set(of_new.answers) == {"503", NEW_MODEL}
        assert (of_old.empty, of_new.empty) == (0, 0)

        assert await asyncio.to_thread(old_worker.process.wait, 60) == 1
        assert "is not current any more" in old_worker.said
        product.worker(**new)
        async with _client(new_api) as successor:
            await _registered(successor, {"8888_11": DOOR})
        dropped = product.command("reindex", "--drop-old", **new)
        assert await asyncio.to_thread(dropped.process.wait, 60) == 0, dropped.said
        assert (await client.post("/v1/search", json={"query": "M7"})).status_code == 503


async def test_a_collection_that_is_lost_comes_back_and_no_search_is_answered_with_nothing(
    product: Product, milvus: MilvusClient, alias: str
) -> None:
    api = product.api()
    product.worker()
    async with _client(api) as client:
        await _registered(client, LOGICS)
        async with _searched(api) as asked:
            await until(lambda: _has_answered(asked), within_s=30)
            await asyncio.to_thread(_drop_all, milvus, alias)
            await until(lambda: _was_refused(asked), within_s=30)
            refused = len(asked.answers)
            await until(lambda: _has_answered(asked, after=refused), within_s=60)
    assert asked.empty == 0
    assert set(asked.answers) == {OLD_MODEL, "503"}


def _settings_of(embedder: EmbeddingServer) -> dict[str, str]:
    return {
        "EMBEDDING_MODEL": "openai",
        "EMBEDDING_MODEL_NAME": "hashing",
        "EMBEDDING_BASE_URL": f"{embedder.address}/v1",
        "EMBEDDING_API_KEY": "key",
        "EMBEDDING_BATCH_SIZE": "4",
        "EMBEDDING_CONCURRENCY": "1",
        "MILVUS_EMBEDDING_DIM": str(DIMENSION),
    }


def _drop_all(client: MilvusClient, alias: str) -> None:
    for name in client.list_collections():
        if name.startswith(alias):
            for given_name in client.list_aliases(name)["aliases"]:
                client.drop_alias(given_name)
            client.drop_collection(name)


@asynccontextmanager
async def _client(api: Program) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api.url, timeout=30, trust_env=False) as client:
        await until(lambda: _is_alive(api), within_s=60)
        yield client


async def _is_alive(api: Program) -> bool:
    assert api.process.poll() is None, api.said
    async with httpx.AsyncClient(base_url=api.url, timeout=5, trust_env=False) as client:
        try:
            return (await client.get("/healthz")).is_success
        except httpx.TransportError:
            return False


async def _registered(client: httpx.AsyncClient, logics: dict[str, str]) -> None:
    """Upload a program and wait until it is indexed."""
    files = {
        "pgm_ladder_zip_file": ("ladder.zip", archive_of(logics)),
        "pgm_template_file": ("template.xlsx", template_of(("0", "이송부", "", logic, "L") for logic in logics)),
    }
    fields, once = {"pgm_name": "시험", "create_user": "kim"}, {"Idempotency-Key": str(uuid4())}
    accepted: list[httpx.Response] = []

    async def is_accepted() -> bool:
        answer = await client.post("/v1/programs", data=fields, files=files, headers=once)
        assert answer.status_code in {201, 503}, answer.text  # 503: the database of a machine that is busy
        accepted.append(answer)
        return answer.status_code == 201

    await until(is_accepted, within_s=30)
    href = accepted[-1].json()["indexing"]["href"]

    async def is_indexed() -> bool:
        progress: dict[str, Any] = (await client.get(href)).raise_for_status().json()
        assert progress["status"] != "failed", progress
        return bool(progress["status"] == "indexed")

    await until(is_indexed, within_s=90)


@asynccontextmanager
async def _searched(api: Program) -> AsyncIterator[Asked]:
    """Two clients that search for the length of the block, as fast as they are answered."""
    asked = Asked()

    async def search() -> None:
        async with httpx.AsyncClient(base_url=api.url, timeout=30, trust_env=False) as client:
            while True:
                answer = await client.post("/v1/search", json={"query": "M7 컨베이어"})
                assert answer.status_code in {200, 503}, answer.text
                if answer.status_code == 200:
                    asked.empty += not answer.json()["hits"]
                    asked.answers.append(answer.json()["index"]["model"])
                else:
                    asked.answers.append("503")
                await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(search()) for _ in range(2)]
        yield asked
        for each in clients:
            each.cancel()


async def _has_begun(embedder: EmbeddingServer) -> bool:
    return sum(len(seen.body["input"]) > 1 for seen in embedder.seen) > 5  # a search asks for one text


async def _has_answered(asked: Asked, *, after: int = 0) -> bool:
    return any(answer != "503" for answer in asked.answers[after:])


async def _was_refused(asked: Asked) -> bool:
    return "503" in asked.answers
