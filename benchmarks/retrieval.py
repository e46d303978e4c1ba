"""Retrieval quality through the running service: nDCG@10 by type of query, over graded queries.

Takes a folder with ladder.zip, template.xlsx, comment.csv and queries.json, whose entries are
{"type", "query", "relevant": [[document_name, first_step, grade], ...]}. Starts the embedded service in a
temporary folder unless --url names a running one.
"""

import argparse
import asyncio
import json
import math
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from entrypoints.embedded.ports import free_port
from entrypoints.embedded.stack import EmbeddedStack, running

DEPTH = 10
DEFAULT = Path(__file__).parents[2] / "shared" / "retrieval"


async def main() -> None:
    """Upload, wait, ask, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--url", help="a running service; otherwise one is started")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    if not (arguments.folder / "queries.json").is_file():
        sys.exit("no graded queries: name a folder with ladder.zip, template.xlsx, comment.csv and queries.json")
    async with _service(arguments.url) as client:
        pgm_id = await register(client, arguments.folder)
        await until_indexed(client, pgm_id)
        queries = json.loads((arguments.folder / "queries.json").read_text("utf-8"))
        _print_table(await _measure(client, pgm_id, queries), as_json=arguments.as_json)
        (await client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()


@asynccontextmanager
async def _service(url: str | None) -> AsyncIterator[httpx.AsyncClient]:
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
    """Poll until every document is done; the last answer."""
    while True:
        progress: dict[str, Any] = (await client.get(f"/v1/programs/{pgm_id}/indexing")).raise_for_status().json()
        if progress["done"] == progress["total"]:
            return progress
        await asyncio.sleep(0.1)


async def _measure(
    client: httpx.AsyncClient, pgm_id: str, queries: list[dict[str, Any]]
) -> list[tuple[str, float, float]]:
    """(type, nDCG, milliseconds) of each query."""
    measured = []
    for query in queries:
        started = time.perf_counter()
        answer = await client.post("/v1/search", json={"query": query["query"], "pgm_id": pgm_id, "limit": DEPTH})
        took_ms = (time.perf_counter() - started) * 1000
        hits = answer.raise_for_status().json()["hits"]
        places = [(hit["document_name"], hit["first_step"]) for hit in hits]
        measured.append((query["type"], ndcg(places, query["relevant"]), took_ms))
    return measured


def ndcg(places: list[tuple[str, int | None]], relevant: list[tuple[str, int, int]]) -> float:
    """Normalised discounted cumulative gain at DEPTH, with gain 2^grade - 1 (Jarvelin and Kekalainen, 2002)."""
    grades: dict[tuple[str, int | None], int] = {(name, step): grade for name, step, grade in relevant}
    gained = [grades.get((name, step), 0) for name, step in places[:DEPTH]]
    return _dcg(gained) / _dcg(sorted(grades.values(), reverse=True)[:DEPTH])


def _dcg(grades: list[int]) -> float:
    return math.fsum(((1 << grade) - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def _print_table(measured: list[tuple[str, float, float]], *, as_json: bool) -> None:
    by_type: dict[str, list[float]] = defaultdict(list)
    for kind, value, _ in measured:
        by_type[kind].append(value)
        by_type["all"].append(value)
    rows = {kind: (len(values), statistics.fmean(values)) for kind, values in by_type.items()}
    median_ms = statistics.median(took_ms for _, _, took_ms in measured)
    if as_json:
        print(
            json.dumps({"ndcg@10": {kind: round(mean, 4) for kind, (_, mean) in rows.items()}, "median_ms": median_ms})
        )
        return
    print(f"{'type':<8} {'queries':>7} {'nDCG@10':>8}")
    for kind, (count, mean) in sorted(rows.items(), key=lambda row: (row[0] == "all", row[0])):
        print(f"{kind:<8} {count:>7} {mean:>8.3f}")
    print(f"median search over HTTP: {median_ms:.1f} ms")


if __name__ == "__main__":
    asyncio.run(main())
