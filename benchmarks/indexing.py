"""How long one upload takes through the running service: registered, indexed, searched.

Takes a folder with ladder.zip, template.xlsx and comment.csv or comments.csv. Starts the embedded service in a
temporary folder unless --url names a running one.
"""

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path

import httpx

from service import a_service, register, until_indexed

DEFAULT = Path(__file__).parents[1] / "examples" / "cell-line"
SEARCHES = ("컨베이어 정지 조건", "M101", "what stops the conveyor", "인터록 확인", "사이클 정지")


async def main() -> None:
    """Upload, wait, search, print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--url", help="a running service; otherwise one is started")
    arguments = parser.parse_args()
    async with a_service(arguments.url) as client:
        started = time.perf_counter()
        pgm_id = await register(client, arguments.folder)
        registered = time.perf_counter()
        progress = await until_indexed(client, pgm_id)
        indexed = time.perf_counter()
        searches_ms = [await _search_ms(client, pgm_id, query) for query in SEARCHES * 4]
        (await client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()
    result = {
        "documents": progress["counts"],
        "registered_s": round(registered - started, 2),
        "indexed_s": round(indexed - registered, 2),
        "first_search_ms": round(searches_ms[0]),
        "median_search_ms": round(statistics.median(searches_ms)),
        "slowest_search_ms": round(max(searches_ms)),
    }
    print(json.dumps(result, indent=2))


async def _search_ms(client: httpx.AsyncClient, pgm_id: str, query: str) -> float:
    started = time.perf_counter()
    (await client.post("/v1/search", json={"query": query, "pgm_id": pgm_id})).raise_for_status()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    asyncio.run(main())
