"""Every figure that the documents promise, measured side by side in one run: `make bench`, `make bench WHICH=waits`.

Prints a table, and writes all values to benchmarks/results/last.json and, after a run of all groups,
docs/img/benchmarks.svg.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import asyncpg

import catalogue
import load
import models
import searches
import streams
import waits
import workers
from delays import INSTANT
from figures import HEADINGS, Row, table_line, write_json
from plot import plot_of
from product import Product, a_product
from sequential import SequentialService, sequential_service

Rows = Callable[[Product, SequentialService], AsyncIterator[Row]]

MODEL = "embedded"
RESULTS = Path(__file__).parent / "results" / "last.json"
PLOT = Path(__file__).parents[1] / "docs" / "img" / "benchmarks.svg"
# Groups of rows by name, with the embedder that the product runs with.
GROUPS: dict[str, tuple[str, Rows]] = {
    "waits": (INSTANT, waits.rows),
    "load": (INSTANT, load.rows),
    "workers": (INSTANT, workers.rows),
    "streams": (INSTANT, streams.rows),
    "catalogue": (INSTANT, catalogue.rows),
    "models": (MODEL, models.rows),
    "searches": (MODEL, searches.rows),
}


async def main() -> None:
    """Measure the groups that are asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", choices=[[], *GROUPS], help="groups of rows; all by default")
    which = parser.parse_args().which or list(GROUPS)
    print(table_line(HEADINGS), flush=True)
    measured: list[Row] = []
    for embedder in dict.fromkeys(embedder for embedder, _ in GROUPS.values()):
        groups = [rows for name in which for its_embedder, rows in [GROUPS[name]] if its_embedder == embedder]
        async for row in _measured(embedder, groups):
            print(table_line(row.cells), flush=True)
            measured.append(row)
    write_json(measured, RESULTS)
    if set(which) == set(GROUPS):
        PLOT.write_text(plot_of(measured))
    missed = sum(row.holds is False for row in measured)
    print(f"{len(measured)} rows, {missed} of them miss their target; all values in {RESULTS}")


async def _measured(embedder: str, groups: Iterable[Rows]) -> AsyncIterator[Row]:
    if not groups:
        return
    async with a_product(embedder) as product, asyncpg.create_pool(product.database_url) as database:
        plain = await sequential_service(product.folder, product.switchboard, database, product.milvus_uri)
        for rows in groups:
            async for row in rows(product, plain):
                yield row


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
