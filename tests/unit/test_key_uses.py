"""Telling the record when keys were used goes on beside the requests, whatever the record does."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from application.known_keys import KnownKeys
from contracts.key_repo import an_issued_key
from entrypoints.key_uses import uses_told
from fakes.key_repo import CountingKeyRepo
from fakes.registry import ManualClock


class Telling(CountingKeyRepo):
    """Says when it was told."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.was_told = asyncio.Event()

    async def note_uses(self, prefixes: Collection[str], *, every: timedelta) -> None:
        await super().note_uses(prefixes, every=every)
        self.was_told.set()


async def test_uses_are_told_again_and_again_and_once_more_at_the_end() -> None:
    clock = ManualClock()
    keys = Telling(clock)
    known = KnownKeys(keys, monotonic=lambda: 0.0)
    first, last = an_issued_key("kim").key, an_issued_key("lee").key
    for key in (first, last):
        await keys.add(key, live_at_most=2)
    async with uses_told(known, every_s=0.001):
        known.note_use(first.prefix)
        keys.is_down = True
        await asyncio.sleep(0.01)
        keys.is_down = False
        await asyncio.wait_for(keys.was_told.wait(), 10)
        await clock.advance(timedelta(minutes=3))
        known.note_use(last.prefix)
    assert keys.kept[last.prefix].last_used_at == clock()
