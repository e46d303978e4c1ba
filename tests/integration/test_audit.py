"""The audit, its repairs and the collector beside a service that is up: real processes, servers and files."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pymilvus import MilvusClient

from adapters.milvus.connection import CHANNEL_OPTIONS
from builders.product import Product, Program, a_product, until
from builders.uploads import CONVEYOR, DOOR, archive_of, template_of

pytestmark = pytest.mark.timeout(300)

LOGICS = {"0000_11": CONVEYOR, "0001_11": DOOR, "0002_11": CONVEYOR, "0003_11": DOOR}
AN_OLD_DAY = 1_000_000_000


@pytest.fixture
def alias() -> str:
    return f"test_{uuid4().hex[:12]}"


@pytest.fixture
def milvus(milvus_uri: str, alias: str) -> Iterator[MilvusClient]:
    """A back door, which removes whatever the test made."""
    client = MilvusClient(milvus_uri, timeout=20, dedicated=True, grpc_options=dict(CHANNEL_OPTIONS))
    yield client
    for name in client.list_collections():
        if name.startswith(alias):
            for given_name in client.list_aliases(name)["aliases"]:
                client.drop_alias(given_name)
            client.drop_collection(name)
    client.close()


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A back door."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def servers(database_url: str, redis_url: str, milvus_uri: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}


@pytest.fixture
def product(tmp_path: Path, servers: dict[str, str], milvus: MilvusClient, alias: str) -> Iterator[Product]:
    with a_product(tmp_path, **servers, MILVUS_COLLECTION_NAME=alias, EMBEDDING_MODEL="embedded") as product:
        yield product


async def test_drift_of_every_store_is_found_mended_and_gone(
    product: Product, milvus: MilvusClient, alias: str, postgres: asyncpg.Connection, tmp_path: Path
) -> None:
    api, worker = product.api(), product.worker()
    blobs = tmp_path / "blobs" / "objects" / "programs"
    async with _client(api) as client:
        for _ in range(4):
            await _registered(client)
        await _deleted(client, postgres, "PGM_4")
        assert await _audited(product) == (0, Counter())

        _lose(milvus, alias, "PGM_1-r1-0002.g1.0")
        _hold(milvus, alias, "PGM_1-r1-0003", generation=1, ordinal=99)
        _hold(milvus, alias, "PGM_1-r1-0004", generation=7)
        _hold(milvus, alias, "PGM_9-r1-0004", generation=1)
        _hold(milvus, alias, "PGM_4-r1-0002", generation=1)
        await postgres.execute("UPDATE documents SET chunk_count = 99 WHERE document_id = 'PGM_1-r1-0005'")
        await postgres.execute("DELETE FROM indexed_documents WHERE document_id = 'PGM_2-r1-0002'")
        await postgres.execute("UPDATE documents SET state = 'indexing' WHERE document_id = 'PGM_2-r1-0003'")
        (blobs / "PGM_2/r1/ladder_files/0002_11.csv").unlink()
        (blobs / "PGM_2/r1/ladder_files/0003_11.csv").write_bytes(b"short")
        _spoil(blobs / "PGM_2/r1/template/template.xlsx")
        await postgres.execute("UPDATE programs SET deleted_dt = now() WHERE pgm_id = 'PGM_3'")
        _leave(blobs / "PGM_7/r1/zip/ladder.zip")
        await postgres.execute("INSERT INTO uploads VALUES ('programs/PGM_8/r1', now() - interval '3 hours')")

        code, found = await _audited(product, "--deep")
        assert code == 1
        assert found == Counter(
            {
                "vectors_missing": 1,
                "vectors_surplus": 1,
                "vectors_stale": 1,
                "vectors_unowned": 2 + 5,  # those of the program whose purge is lost, too
                "chunks_miscounted": 1,
                "index_unrecorded": 1,
                "document_stuck": 1,
                "blob_missing": 1,
                "blob_wrong_size": 1,
                "blob_corrupt": 1,
                "purge_missing": 1,
                "blob_orphan": 1,
                "upload_abandoned": 1,
            }
        )
        code, told = await _run(product, "audit", "--repair", "--deep", "--json")
        assert code == 1
        left = Counter(drift["kind"] for drift in told if drift["state"] == "left")
        assert left == Counter(["blob_orphan", "upload_abandoned"])

        before = (await _run(product, "gc", "--dry-run", "--json"))[1]
        assert (blobs / "PGM_7/r1/zip/ladder.zip").exists()
        assert await _run(product, "gc", "--json") == (0, before)
        assert before == [
            {"garbage": "abandoned_upload", "prefix": "programs/PGM_8/r1", "count": 0},
            {"garbage": "orphaned_blobs", "prefix": "programs/PGM_7/r1", "count": 1},
        ]
        await _quiet(postgres)
        assert await _audited(product, "--deep") == (0, Counter())
        failures = await postgres.fetch(
            "SELECT document_id, failure_code FROM documents WHERE failure_code <> '' ORDER BY 1"
        )
        assert [tuple(row) for row in failures] == [
            ("PGM_2-r1-0001", "storage_corrupt"),
            ("PGM_2-r1-0004", "storage_missing"),
            ("PGM_2-r1-0005", "storage_corrupt"),
        ]
        assert worker.process.poll() is None
        assert not (blobs / "PGM_3").exists()


async def test_what_is_under_way_is_no_drift(product: Product, postgres: asyncpg.Connection) -> None:
    api = product.api()
    product.worker()
    async with _client(api) as client:
        await _registered(client)
        ended = asyncio.Event()

        async def keep_busy() -> None:
            while not ended.is_set():
                pgm_ids = [await _uploaded(client) for _ in range(3)]
                await postgres.execute(
                    """
                    WITH restarted AS (
                        UPDATE documents SET generation = generation + 1, state = 'pending'
                        WHERE pgm_id = 'PGM_1' AND state = 'indexed' RETURNING document_id, generation
                    )
                    INSERT INTO outbox (kind, payload) SELECT 'documents_registered', jsonb_build_object(
                        'schema', 1, 'pgm_id', 'PGM_1',
                        'documents', jsonb_build_array(
                            jsonb_build_array(document_id, generation), jsonb_build_array(document_id, generation - 1)))
                    FROM restarted
                    """
                )
                for pgm_id in pgm_ids:
                    (await client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()

        async with asyncio.TaskGroup() as group:
            group.create_task(keep_busy())
            for _ in range(3):
                assert await _audited(product, "--deep") == (0, Counter())
            ended.set()


async def test_a_dependency_that_is_down_gives_exit_code_3_and_one_line(product: Product) -> None:
    for words in (("audit",), ("audit", "--repair"), ("gc",)):
        down = product.command(*words, DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
        assert await asyncio.to_thread(down.process.wait, 60) == 3
        assert [line for line in down.said.splitlines() if line.startswith("Error:")] == down.said.splitlines()[-1:]


async def _run(product: Product, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """A command's exit code and what it told, as JSON lines."""
    program = product.command(*words)
    code = await asyncio.to_thread(program.process.wait, 60)
    assert code in {0, 1}, program.said
    return code, [json.loads(line) for line in program.said.splitlines() if line.startswith("{")]


async def _audited(product: Product, *options: str) -> tuple[int, Counter[str]]:
    code, told = await _run(product, "audit", "--json", *options)
    return code, Counter(drift["kind"] for drift in told)


def _collection(milvus: MilvusClient, alias: str) -> str:
    (name,) = (str(name) for name in milvus.list_collections() if name.startswith(alias))
    return name


def _lose(milvus: MilvusClient, alias: str, chunk_id: str) -> None:
    milvus.delete(_collection(milvus, alias), filter=f'chunk_id in ["{chunk_id}"]')


def _hold(milvus: MilvusClient, alias: str, document_id: str, *, generation: int, ordinal: int = 0) -> None:
    """A chunk that nobody recorded: a copy of another under another name."""
    name = _collection(milvus, alias)
    (row,) = milvus.query(name, filter='chunk_id in ["PGM_2-r1-0005.g1.0"]', output_fields=["*"])
    changed = {"document_id": document_id, "generation": generation, "pgm_id": document_id.partition("-")[0]}
    chunk_id = f"{document_id}.g{generation}.{ordinal}"
    milvus.upsert(name, [{**{k: v for k, v in row.items() if k != "lexical"}, **changed, "chunk_id": chunk_id}])


def _spoil(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _leave(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"left")
    os.utime(file, (AN_OLD_DAY, AN_OLD_DAY))


@asynccontextmanager
async def _client(api: Program) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False) as client:

        async def is_alive() -> bool:
            assert api.process.poll() is None, api.said
            try:
                return (await client.get("/healthz")).is_success
            except httpx.TransportError:
                return False

        await until(is_alive, within_s=60)
        yield client


async def _uploaded(client: httpx.AsyncClient) -> str:
    files = {
        "pgm_ladder_zip_file": ("ladder.zip", archive_of(LOGICS)),
        "pgm_template_file": ("template.xlsx", template_of(("0", "이송부", "", logic, "L") for logic in LOGICS)),
    }
    answer = await client.post("/v1/programs", data={"pgm_name": "시험", "create_user": "kim"}, files=files)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["pgm_id"])


async def _registered(client: httpx.AsyncClient) -> None:
    """Upload a program and wait until it is indexed."""
    pgm_id = await _uploaded(client)

    async def is_indexed() -> bool:
        progress = (await client.get(f"/v1/programs/{pgm_id}/indexing")).raise_for_status().json()
        return bool(progress["status"] == "indexed")

    await until(is_indexed, within_s=90)


async def _deleted(client: httpx.AsyncClient, postgres: asyncpg.Connection, pgm_id: str) -> None:
    (await client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()
    await _quiet(postgres)


async def _quiet(postgres: asyncpg.Connection) -> None:
    """Until every event is done or dead."""

    async def is_quiet() -> bool:
        return not await postgres.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL")

    await until(is_quiet, within_s=90)
