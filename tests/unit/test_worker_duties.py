"""What the worker process does side by side: what ends it, and what does not."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from domain.errors import LadderbaseError, MisconfiguredError, UnavailableError
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


@pytest.mark.parametrize(
    "error", [UnavailableError("blob store", "gone"), MisconfiguredError("there is no such bucket")]
)
async def test_a_sweep_that_cannot_be_done_now_ends_no_worker(
    monkeypatch: pytest.MonkeyPatch, error: LadderbaseError
) -> None:
    monkeypatch.setattr(worker, "_SWEEP_EVERY_S", 0.001)
    swept = asyncio.Event()
    outages = [error]

    async def sweep() -> int:
        if outages:
            raise outages.pop()
        swept.set()
        return 0

    sweeping = asyncio.create_task(worker._sweep(sweep, "swept %d"))
    await asyncio.wait(
        {sweeping, waiting := asyncio.create_task(swept.wait())}, timeout=5, return_when="FIRST_COMPLETED"
    )
    assert waiting.done()
    sweeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweeping
