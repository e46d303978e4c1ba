"""Rows about an API under load: uploads a second, what others notice of them, and the memory that large ones take."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx

from delays import Delays
from figures import Row, percentile, sample
from product import Product
from sequential import SequentialService
from uploads import MadeUpload, make_large_upload, make_upload
from waits import PUT_S

_CONCURRENCY = 8
_ASK_FOR_S = 15
_MEBIBYTE = 1024 * 1024


async def rows(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    """The relay is held: what is measured is the API."""
    async for row in _throughput(product, plain):
        yield row
    await product.forget()
    async for row in _neighbours(product):
        yield row
    await product.forget()
    async for row in _memory(product):
        yield row
    await product.forget()


async def _throughput(product: Product, plain: SequentialService) -> AsyncIterator[Row]:
    """Eight callers at once, each with an upload of its own after the other."""
    upload = make_upload(100)
    for put_s, at_least in ((PUT_S, 6.0), (0.0, None)):
        product.switchboard.set(Delays(put_s=put_s, is_held=True))
        ours = [await _uploads_per_s(lambda: product.register(upload), each=2) for _ in range(5)]
        deferred = [await _uploads_per_s(lambda: plain.upload(upload), each=1) for _ in range(3 if put_s else 5)]
        yield Row(
            name=f"uploads/s, 100 CSVs, 8 at once, put {put_s * 1000:.0f} ms",
            unit="/s",
            measured=sample(ours),
            against="deferred",
            baseline=sample(deferred),
            at_least=at_least,
            note="deferred without its indexing",
        )


async def _uploads_per_s(upload: Callable[[], Coroutine[Any, Any, str]], *, each: int) -> float:
    async def one_caller() -> None:
        for _ in range(each):
            await upload()

    started = time.perf_counter()
    await asyncio.gather(*(one_caller() for _ in range(_CONCURRENCY)))
    return _CONCURRENCY * each / (time.perf_counter() - started)


async def _neighbours(product: Product) -> AsyncIterator[Row]:
    """How long others wait while two callers upload 645 CSVs each without a pause."""
    upload = make_upload(645)
    product.switchboard.set(Delays(is_held=True))
    uploading = [asyncio.create_task(_without_end(product, upload)) for _ in range(2)]
    waits_ms: dict[str, list[float]] = {"/healthz": [], "/v1/programs": []}
    until = time.monotonic() + _ASK_FOR_S
    await asyncio.to_thread(ask, str(product.client.base_url), waits_ms, lambda: time.monotonic() > until)
    for each in uploading:
        each.cancel()
    await asyncio.gather(*uploading, return_exceptions=True)
    for path, waits in waits_ms.items():
        name = f"{path} while 645 CSVs are uploaded twice at once"
        note = f"{len(waits)} requests, median {percentile(waits, 0.5):.1f} ms"
        yield Row(name=f"{name}: p99", unit="ms", measured=sample([percentile(waits, 0.99)]), at_most=50, note=note)
        yield Row(name=f"{name}: longest", unit="ms", measured=sample([max(waits)]), at_most=200, note=note)


def ask(url: str, waits_ms: dict[str, list[float]], is_enough: Callable[[], bool]) -> None:
    """Ask for each path in turn, from a thread: what is measured is not how long our own tasks keep an event loop."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while not is_enough():
            for path, waits in waits_ms.items():
                started = time.perf_counter()
                client.get(path).raise_for_status()
                waits.append((time.perf_counter() - started) * 1000)
                time.sleep(0.01)


async def _without_end(product: Product, upload: MadeUpload) -> None:
    while True:
        await product.register(upload)


async def _memory(product: Product) -> AsyncIterator[Row]:
    """Of the API's process; the children that read the files have limits of their own and are gone with the upload."""
    upload = make_large_upload(99 * _MEBIBYTE)
    product.switchboard.set(Delays(is_held=True))
    process = Path(f"/proc/{product.api_pid}")
    for at_once, rounds, at_most in ((1, 2, 64), (6, 1, 160)):
        taken = [await _memory_taken_mib(product, process, upload, at_once) for _ in range(rounds)]
        await product.forget()
        yield Row(
            name=f"API's memory over idle, {at_once} x 100 MB ZIP at once",
            unit="MiB",
            measured=sample(taken),
            at_most=at_most,
            note=f"{len(upload.csvs)} CSVs each; {rounds} repetitions, for they take long",
        )


async def _memory_taken_mib(product: Product, process: Path, upload: MadeUpload, at_once: int) -> float:
    idle = memory_mib(process, "VmRSS")
    (process / "clear_refs").write_text("5")  # the peak is from now on
    await asyncio.gather(*(product.register(upload) for _ in range(at_once)))
    return memory_mib(process, "VmHWM") - idle


def memory_mib(process: Path, field: str) -> float:
    """VmRSS, what a process of /proc holds now, or VmHWM, what it held at most."""
    lines = (line.split(":") for line in (process / "status").read_text().splitlines())
    return next(int(value.split()[0]) / 1024 for name, value in lines if name == field)
