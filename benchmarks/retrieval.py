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
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from service import a_service, register, until_indexed

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
    async with a_service(arguments.url) as client:
        pgm_id = await register(client, arguments.folder)
        await until_indexed(client, pgm_id)
        queries = json.loads((arguments.folder / "queries.json").read_text("utf-8"))
        _print_table(await _measure(client, pgm_id, queries), as_json=arguments.as_json)
        (await client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()


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
