"""Rows about those who follow an indexing: what they are told, and what the API's other callers notice of them."""

import asyncio
import threading
from collections.abc import AsyncIterator

import load
from delays import Delays
from figures import Row, percentile, sample
from product import Product
from sequential import SequentialService
from uploads import MadeUpload, make_upload

_FOLLOWERS = 20
_EMBED_S = 0.05
_STATES = ["pending", "indexing", "indexed"]


async def rows(product: Product, _plain: SequentialService) -> AsyncIterator[Row]:
    """An indexing that nobody follows, and one that twenty follow; each from a held relay to its end."""
    upload = make_upload(645)
    for followers in (0, _FOLLOWERS):
        waits_ms = await _waits_ms(product, upload, followers)
        name = f"/healthz while {followers or 'nobody'} follow{'' if followers else 's'} the indexing of 645 CSVs"
        note = f"{len(waits_ms)} requests, median {percentile(waits_ms, 0.5):.1f} ms"
        for words, value, at_most in (("p99", percentile(waits_ms, 0.99), 50), ("longest", max(waits_ms), None)):
            yield Row(name=f"{name}: {words}", unit="ms", measured=sample([value]), at_most=at_most, note=note)
    await product.empty()


async def _waits_ms(product: Product, upload: MadeUpload, followers: int) -> list[float]:
    """Of others, meanwhile. Raises RuntimeError where a follower was not told of every state."""
    await product.empty()
    product.switchboard.set(Delays(is_held=True))
    pgm_id = await product.register(upload)
    following = [asyncio.create_task(_states(product, pgm_id)) for _ in range(followers)]
    waits_ms: dict[str, list[float]] = {"/healthz": []}
    ended = threading.Event()
    asking = asyncio.create_task(asyncio.to_thread(load.ask, str(product.client.base_url), waits_ms, ended.is_set))
    try:
        await asyncio.sleep(1)
        product.switchboard.set(Delays(embed_s=_EMBED_S))
        await product.until_indexed(pgm_id, poll_s=0.5)
        told = await asyncio.gather(*following)
    finally:
        ended.set()
        await asking
    if any(one != _STATES for one in told):
        raise RuntimeError(f"a follower was told {told}")
    return waits_ms["/healthz"]


async def _states(product: Product, pgm_id: str) -> list[str]:
    """The states that a stream tells until it ends, each once."""
    path = f"/v1/programs/{pgm_id}/indexing/events"
    async with product.client.stream("GET", path) as answer:
        answer.raise_for_status()
        told = [line async for line in answer.aiter_lines() if line.startswith("event: ")]
    return list(dict.fromkeys(line.removeprefix("event: ") for line in told))
