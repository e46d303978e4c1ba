"""Rows about the embedded model: texts a second against the model alone, and how soon a small upload is found."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator

from delays import Delays
from figures import Row, sample
from product import Product
from sequential import SequentialService
from uploads import make_upload

_ROUNDS = 3


async def rows(product: Product, _plain: SequentialService) -> AsyncIterator[Row]:
    """With the model that is the default."""
    async for row in _small(product):
        yield row
    async for row in _throughput(product):
        yield row
    await product.empty()


async def _small(product: Product) -> AsyncIterator[Row]:
    """From the statement that records the event to the look that sees its work begun; from the answer to a hit."""
    upload = make_upload(10)
    starts_ms, found_s = [], []
    async with product.database() as database:
        for number in range(8):
            pgm_id = await product.register(upload)
            answered = time.perf_counter()
            while await database.fetchval(_STILL_WAITS, pgm_id):  # noqa: ASYNC110 - nobody else tells
                await asyncio.sleep(0.002)
            recorded_at = await database.fetchval(_RECORDED_AT, pgm_id)
            started_ms = (time.time() - float(recorded_at)) * 1000
            await product.until_indexed(pgm_id, poll_s=0.03)
            await product.search("컨베이어 상승 완료", pgm_id)
            if number:  # the first one loads the model
                starts_ms.append(started_ms)
                found_s.append(time.perf_counter() - answered)
            (await product.client.delete(f"/v1/programs/{pgm_id}")).raise_for_status()
            await asyncio.sleep(0.3)
    yield Row(
        name="commit to the worker's start",
        unit="ms",
        measured=sample(starts_ms),
        at_most=60,
        note="from the INSERT on",
    )
    yield Row(name="201 to searchable, 10 CSVs", unit="s", measured=sample(found_s), at_most=1.5)


_STILL_WAITS = "SELECT NOT EXISTS (SELECT FROM documents WHERE pgm_id = $1 AND state NOT IN ('pending', 'skipped'))"
_RECORDED_AT = "SELECT max(extract(epoch FROM created_at)) FROM outbox WHERE payload ->> 'pgm_id' = $1"


async def _throughput(product: Product) -> AsyncIterator[Row]:
    ours, bare = [], []
    upload = make_upload(60)
    for _ in range(_ROUNDS):
        await product.empty()
        product.switchboard.set(Delays(is_held=True))
        product.switchboard.forget_embedded()
        pgm_id = await product.register(upload)
        started = time.perf_counter()
        product.switchboard.set(Delays())
        await product.until_indexed(pgm_id)
        took_s = time.perf_counter() - started
        texts = [text for call in product.switchboard.embedded() for text in call]
        ours.append(len(texts) / took_s)
        bare.append(await _bare_texts_per_s(texts))
    yield Row(
        name="indexing with the embedded embedder, 60 CSVs",
        unit="texts/s",
        measured=sample(ours),
        against="bare embedder",
        baseline=sample(bare),
        at_least=0.8,
        note=f"{_ROUNDS} repetitions; read, embedded, written, proved and recorded",
    )


async def _bare_texts_per_s(texts: list[str]) -> float:
    """The same texts through the model in a process that does nothing else, with as many threads."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bare_embedder"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.path.dirname(__file__),  # noqa: PTH120 - a string is what an environment takes
            "OPENBLAS_NUM_THREADS": str(min(os.cpu_count() or 1, 4)),
        },
    )
    answer, _ = await process.communicate(json.dumps(texts).encode())
    return float(answer)
