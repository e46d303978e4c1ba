"""Rows about the listings at 10, 100 and 1,000 programs of 645 documents each. Leaves them behind: run it last."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from adapters.postgres import tables
from delays import Delays
from figures import Row, exponent, percentile, sample
from load import memory_mib
from product import Product
from sequential import SequentialService
from uploads import make_upload

SIZES = (10, 100, 1_000)
_REQUESTS = 60
# What changes from a program to its copy; everything else is the same.
_CHANGED = {
    '"pgm_id"': "'PGM_' || number",
    '"pgm_number"': "number",
    '"document_id"': "'PGM_' || number || '-r1-' || lpad(ordinal::text, 4, '0')",
}
_COPIED = (tables.programs, tables.revisions, tables.documents, tables.template_rows)


async def rows(product: Product, _plain: SequentialService) -> AsyncIterator[Row]:
    """Requests one after the other, from the newest program to the oldest."""
    await product.empty()
    product.switchboard.set(Delays(is_held=True))
    pgm_id = await product.register(make_upload(645))
    first = int(pgm_id.removeprefix("PGM_"))
    process = Path(f"/proc/{product.api_pid}")
    medians: dict[str, dict[int, float]] = defaultdict(dict)
    for size, before in zip(SIZES, (1, *SIZES), strict=False):
        async with product.database() as database:
            await _copy(database, pgm_id, first + before, first + size - 1)
        idle_mib = memory_mib(process, "VmRSS")
        (process / "clear_refs").write_text("5")
        for name, paths in _listings(first, size).items():
            p95s = [await _p95_ms(product, paths) for _ in range(5)]
            medians[name][size] = sample(p95s).median
            yield Row(
                name=f"{name} at {size:,} programs x 645 documents: p95",
                unit="ms",
                measured=sample(p95s),
                at_most=20 if size == max(SIZES) else None,
            )
        yield Row(
            name=f"API's memory over idle meanwhile, {size:,} programs",
            unit="MiB",
            measured=sample([memory_mib(process, "VmHWM") - idle_mib]),
            at_most=16 if size == max(SIZES) else None,
        )
    for name, by_size in medians.items():
        yield Row(name=f"{name} by programs: exponent", unit="", measured=sample([exponent(by_size)]), at_most=0.25)


def _listings(first: int, size: int) -> dict[str, list[str]]:
    ids = [f"PGM_{first + size - 1 - number * (size - 1) // _REQUESTS}" for number in range(_REQUESTS)]
    return {
        "list (50 a page)": ["/v1/programs"] * _REQUESTS,
        "detail": [f"/v1/programs/{pgm_id}" for pgm_id in ids],
        "documents (100 a page)": [f"/v1/programs/{pgm_id}/documents" for pgm_id in ids],
        "tree": [f"/v1/programs/{pgm_id}/template" for pgm_id in ids],
    }


async def _p95_ms(product: Product, paths: list[str]) -> float:
    times_ms = []
    for path in paths:
        started = time.perf_counter()
        (await product.client.get(path)).raise_for_status()
        times_ms.append((time.perf_counter() - started) * 1000)
    return percentile(times_ms, 0.95)


async def _copy(database: asyncpg.Connection, pgm_id: str, start: int, stop: int) -> None:
    """Everything of a registered program but its comments once more, under other numbers."""
    for table in _COPIED:
        names = [f'"{column.name}"' for column in table.c if column.computed is None]
        copied = ", ".join(_CHANGED.get(name, name) for name in names)
        numbers = "generate_series($2::bigint, $3::bigint) AS number"
        await database.execute(
            f"INSERT INTO {table.name} ({', '.join(names)})"  # noqa: S608 - names of the product
            f" SELECT {copied} FROM {table.name}, {numbers} WHERE pgm_id = $1",
            *(pgm_id, start, stop),
            timeout=240,
        )
        await database.execute(f"VACUUM ANALYZE {table.name}", timeout=240)
