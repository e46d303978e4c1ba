"""How the worker process ends what it does side by side."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from entrypoints import worker


async def _ends() -> None:
    pass


async def _fails() -> None:
    raise OSError("the queue is gone")


class Deaf:
    """A duty that takes its first cancellation for something else, as redis does on Python 3.11."""

    cancelled = 0

    async def __call__(self) -> None:
        while self.cancelled < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        raise asyncio.CancelledError


@pytest.mark.parametrize(("first", "code"), [(_ends, 0), (_fails, 1)])
async def test_a_duty_that_misses_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch, first: Callable[[], Coroutine[None, None, None]], code: int
) -> None:
    monkeypatch.setattr(worker, "_CANCEL_AGAIN_S", 0.01)
    deaf = Deaf()
    duties = {asyncio.create_task(first()), asyncio.create_task(deaf())}
    async with asyncio.timeout(5):
        assert await worker._until_one_ends(duties) == code
    assert deaf.cancelled == 2
