"""What the README, docs/api.md, docs/mcp.md and docs/start.md tell a reader to type, typed against a service."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import TextContent

from builders.pages import ROOT, Step, difference, ran, steps_of
from builders.product import Product, Program, a_product, drop_collections, is_ready, until

DOCS = ROOT / "docs"
WRITTEN_URL = "http://127.0.0.1:8000"
ASSISTANT_ASKS_BEFORE = "Find programs"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def product(tmp_path: Path, database_url: str, redis_url: str, milvus_uri: str) -> Iterator[Product]:
    alias = f"test_{uuid4().hex[:12]}"
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "MILVUS_URI": milvus_uri}
    with a_product(tmp_path, **servers, MILVUS_COLLECTION_NAME=alias, EMBEDDING_MODEL="embedded") as product:
        yield product
    drop_collections(milvus_uri, alias)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's checkout, as far as the pages name it."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "examples").symlink_to(ROOT / "examples")
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout


async def test_the_guide_the_assistant_and_the_first_steps_are_answered_as_their_pages_show(
    product: Product, folder: Path
) -> None:
    api = product.api()
    product.worker()
    await until(lambda: is_ready(api), within_s=60)
    guide = steps_of(DOCS / "api.md")
    cut = [step.section for step in guide].index(ASSISTANT_ASKS_BEFORE)  # while there is the one program of its page
    assert await _untrue(guide[:cut], folder, api) == []
    assert await _untrue_of_a_session(steps_of(DOCS / "mcp.md", asked="text"), api) == []
    assert await _untrue([guide[0], *guide[cut:]], folder, api) == []
    assert await _asked_of(api) == _routes() - {"GET /metrics"}
    assert await _untrue(steps_of(DOCS / "start.md"), folder, api) == []
    await _assert_that_each_is_a_success(_api_of_the_readme(), folder, api)


async def _untrue(steps: Sequence[Step], folder: Path, api: Program) -> list[str]:
    """The commands that are answered otherwise than the page shows."""
    commands = [step.commands.replace(WRITTEN_URL, api.url) for step in steps]
    said = await asyncio.to_thread(ran, commands, folder, {"LADDERBASE_URL": api.url, "COLUMNS": "200"})
    answered = zip(steps, said, strict=True)
    return [f"{step.commands}{wrong}" for step, one in answered if (wrong := difference(step, one))]


async def _assert_that_each_is_a_success(commands: str, folder: Path, api: Program) -> None:
    """Its program is the next one, whatever the page calls it; curl itself is told to fail where the answer does."""
    (folder / ".curlrc").write_text("fail\nsilent\n")
    async with httpx.AsyncClient(base_url=api.url, timeout=10, trust_env=False) as client:
        newest = (await client.get("/v1/programs")).raise_for_status().json()["items"][0]["pgm_id"]
    following = f"PGM_{int(newest.removeprefix('PGM_')) + 1}"
    typed = commands.replace(WRITTEN_URL, api.url).replace("PGM_1", following)
    await asyncio.to_thread(ran, [typed], folder, {"CURL_HOME": str(folder)})


def _api_of_the_readme() -> str:
    (step,) = (step for step in steps_of(ROOT / "README.md") if step.section == "The API")
    return step.commands


async def _untrue_of_a_session(steps: Sequence[Step], api: Program) -> list[str]:
    """The same of what a client of `ladderbase mcp` asks: a tool and its arguments."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "entrypoints.cli.main", "mcp", "--url", api.url],
        env=dict(os.environ),
    )
    wrong = []
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert tools == {step.commands.partition(" ")[0] for step in steps}
        for step in steps:
            name, _, arguments = step.commands.partition(" ")
            answer = await session.call_tool(name, json.loads(arguments))
            said = "".join(part.text for part in answer.content if isinstance(part, TextContent))
            wrong += [f"{step.commands}{problem}" for problem in [difference(step, said)] if problem]
    return wrong


async def _asked_of(api: Program) -> set[str]:
    """The operations that the service was asked for so far, by its own count."""
    async with httpx.AsyncClient(base_url=api.url, timeout=10, trust_env=False) as client:
        metrics = (await client.get("/metrics")).raise_for_status().text
    counted = r'^ladderbase_http_request_seconds_count\{method="(\w+)",route="([^"]+)"'
    return {f"{method} {route}" for method, route in re.findall(counted, metrics, re.MULTILINE)}


def _routes() -> set[str]:
    """Every operation, as the table of docs/auth.md has it, which a test holds to the application."""
    return set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", (DOCS / "auth.md").read_text("utf-8"), re.MULTILINE))
