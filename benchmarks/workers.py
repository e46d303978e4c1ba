"""Rows about indexing with a stand-in for the model: documents a second, and what a re-upload embeds."""

import math
import time
from collections.abc import AsyncIterator

from delays import Delays
from figures import Row, exponent, sample
from product import Product
from sequential import SequentialService
from uploads import make_upload

_EMBED_S = 0.05
_SLICE = 60  # documents of the sequential design: each takes as long as the next


async def rows(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    """Events are held until all of an upload is registered."""
    async for row in _indexing(product, plain):
        yield row
    async for row in _reupload(product):
        yield row
    await product.empty()


async def _indexing(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    medians: dict[int, float] = {}
    for size, rounds in ((100, 3), (300, 3), (645, 3)):
        upload = make_upload(size)
        ours, sequential = [], []
        for _ in range(rounds):
            await product.empty()
            product.switchboard.set(Delays(is_held=True))
            pgm_id = await product.register(upload)
            started = time.perf_counter()
            product.switchboard.set(Delays(embed_s=_EMBED_S))
            await product.until_indexed(pgm_id)
            ours.append(size / (time.perf_counter() - started))
            sequential.append(await _sequential_per_s(plain))
        yield Row(
            name=f"indexing {size} documents, embedding call 50 ms",
            unit="/s",
            measured=sample(ours),
            against="sequential",
            baseline=sample(sequential),
            at_least=15 if size == 645 else None,
            note=f"{rounds} repetitions; ours has a vector for each rung, sequential one for each document",
        )
        medians[size] = size / sample(ours).median
    yield Row(name="indexing by documents: exponent", unit="", measured=sample([exponent(medians)]))


async def _sequential_per_s(plain: SequentialService) -> float:
    upload = make_upload(_SLICE)
    pgm_id = await plain.upload(upload)
    started = time.perf_counter()
    await plain.index(pgm_id, upload)
    return _SLICE / (time.perf_counter() - started)


async def _reupload(product: Product) -> AsyncIterator[Row]:
    """One rung of a hundred, anywhere in the program, has another title."""
    await product.empty()
    upload = make_upload(100)
    product.switchboard.forget_embedded()
    pgm_id = await product.register(upload)
    await product.until_indexed(pgm_id)
    first = product.switchboard.embedded()
    product.switchboard.forget_embedded()
    await product.replace(pgm_id, make_upload(100, changed=0.01))
    await product.until_indexed(pgm_id)
    again = product.switchboard.embedded()
    for unit, per_call in (("texts", 1), ("calls", 32)):
        measured, baseline = (
            sum(math.ceil(len(call) / per_call) for call in calls) if per_call else len(calls)
            for calls in (again, first)
        )
        yield Row(
            name=f"re-upload of 100 CSVs with 1 % changed rungs: {unit} embedded",
            unit=unit,
            measured=sample([measured]),
            against="first upload",
            baseline=sample([baseline]),
            at_most=0.03,
            note="" if per_call == 1 else "calls of 32 texts, as remote embedders take them",
        )
