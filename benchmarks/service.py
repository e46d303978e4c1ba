"""What the benchmarks share: a running service, a program in it, and the wait until it is searchable."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running


@asynccontextmanager
async def a_service(url: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service at url, or of one that is started for the benchmark alone."""
    if url:
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
            yield client
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = EmbeddedStack(data_dir=Path(folder), port=free_port())
        async with (
            running(stack) as started,
            httpx.AsyncClient(base_url=started, timeout=120, trust_env=False) as client,
        ):
            yield client


async def register(client: httpx.AsyncClient, folder: Path) -> str:
    """Register the program of a folder; its pgm_id."""
    files: dict[str, tuple[str, bytes]] = {
        "pgm_ladder_zip_file": ("ladder.zip", (folder / "ladder.zip").read_bytes()),
        "pgm_template_file": ("template.xlsx", (folder / "template.xlsx").read_bytes()),
    }
    for name in ("comment.csv", "comments.csv"):
        if (folder / name).is_file():
            files["pgm_comment_file"] = (name, (folder / name).read_bytes())
    answer = await client.post("/v1/programs", data={"pgm_name": folder.name, "create_user": "benchmark"}, files=files)
    if answer.is_error:
        sys.exit(answer.text)
    return str(answer.json()["pgm_id"])


async def until_indexed(client: httpx.AsyncClient, pgm_id: str) -> dict[str, Any]:
    """Poll until every document is indexed; the last answer. Exits when one failed, or nothing moved for 10 minutes."""
    give_up_at = time.monotonic() + 600
    last_done = -1
    while time.monotonic() < give_up_at:
        progress: dict[str, Any] = (await client.get(f"/v1/programs/{pgm_id}/indexing")).raise_for_status().json()
        if progress["done"] == progress["total"]:
            if progress["status"] != "indexed":
                sys.exit(f"not indexed: {progress['errors']}")
            return progress
        if progress["done"] > last_done:
            last_done, give_up_at = progress["done"], time.monotonic() + 600
        await asyncio.sleep(0.1)
    sys.exit(f"no document was finished for 10 minutes: {progress['counts']}")
