"""Rows about the caller's wait: ten CSVs with slow puts, 645 on a local disk, and how the wait grows with their number.

The relay is held meanwhile: what is measured is the answer, not the worker that follows it.
"""

import time
from collections.abc import AsyncIterator

import limits
from delays import Delays
from figures import Row, exponent, sample
from product import Product
from sequential import SequentialService
from uploads import MadeUpload, make_upload

PUT_S = 0.2
SIZES = (10, 100, 300, 645)
_ROUNDS = 5


async def rows(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    """Each round measures the product and what it is compared with one after the other."""
    async for row in _ten(product, plain):
        yield row
    async for row in _local(product, plain):
        yield row
    async for row in _by_size(product):
        yield row
    await product.forget()


async def _ten(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    upload = make_upload(10)
    product.switchboard.set(Delays(put_s=PUT_S, embed_s=0.5, is_held=True))
    await product.wait_s(upload)  # the first one starts the readers
    waits_s, deferred_s, sequential_s = [], [], []
    for _ in range(_ROUNDS):
        waits_s.append(await product.wait_s(upload))
        answered_s, indexed_s = await _plain_s(plain, upload)
        deferred_s.append(answered_s)
        sequential_s.append(indexed_s)
    name = "10 CSVs, put 200 ms, embedding 500 ms: caller's wait"
    for against, baseline, at_most in (("deferred", deferred_s, 0.15), ("sequential", sequential_s, 0.05)):
        yield Row(
            name=name, unit="s", measured=sample(waits_s), against=against, baseline=sample(baseline), at_most=at_most
        )


async def _plain_s(plain: SequentialService, upload: MadeUpload) -> tuple[float, float]:
    started = time.perf_counter()
    pgm_id = await plain.upload(upload)
    answered_s = time.perf_counter() - started
    await plain.index(pgm_id, upload)
    return answered_s, time.perf_counter() - started


async def _local(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    upload = make_upload(645)
    product.switchboard.set(Delays(is_held=True))
    waits_s, deferred_s, limits_s = [], [], []
    async with product.database() as database:
        for _ in range(_ROUNDS):
            waits_s.append(await product.wait_s(upload))
            started = time.perf_counter()
            await plain.upload(upload)
            deferred_s.append(time.perf_counter() - started)
            limits_s.append(await limits.upload_s(upload, database, folder=product.folder))
    name = "645 CSVs UTF-16, local disk: caller's wait"
    for against, baseline, at_most in (("deferred", deferred_s, 0.20), ("the limit", limits_s, 1.5)):
        yield Row(
            name=name, unit="s", measured=sample(waits_s), against=against, baseline=sample(baseline), at_most=at_most
        )


async def _by_size(product: Product) -> AsyncIterator[Row]:
    """What a put of 200 ms adds is the same at every size: one round trip (of the quickest ones: less noise)."""
    medians: dict[int, float] = {}
    for size in SIZES:
        upload = make_upload(size)
        with_delay, without = await _with_and_without(product, upload)
        medians[size] = sample(without).median
        yield Row(name=f"{size} CSVs, put 200 ms: caller's wait", unit="s", measured=sample(with_delay))
        yield Row(
            name=f"{size} CSVs: what the delay of a put adds",
            unit="s",
            measured=sample([min(with_delay) - min(without)]),
            at_most=1.5 * PUT_S,
            note="one round trip is 0.2 s",
        )
    yield Row(
        name="caller's wait without the delay by CSVs: exponent",
        unit="",
        measured=sample([exponent(medians)]),
        at_most=1.05,
    )


async def _with_and_without(product: Product, upload: MadeUpload) -> tuple[list[float], list[float]]:
    with_delay: list[float] = []
    without: list[float] = []
    for _ in range(_ROUNDS):
        for delay_s, waits_s in ((PUT_S, with_delay), (0.0, without)):
            product.switchboard.set(Delays(put_s=delay_s, is_held=True))
            waits_s.append(await product.wait_s(upload))
    return with_delay, without
