"""What is awaited at once ends together, and leaves whoever awaited it as it was."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from application.together import both, together
from builders.service import a_service
from domain.document import DocumentState
from domain.errors import UnavailableError
from domain.vectors import Vectors
from fakes.embedder import HashingEmbedder


async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def failing() -> int:
    await asyncio.sleep(0)
    raise UnavailableError("embedder", "as scripted")


async def test_results_come_in_order() -> None:
    assert await together(later(1), later(2), later(3)) == [1, 2, 3]
    assert await both(later(1), later(2)) == (1, 2)
    assert await together() == []


async def test_the_first_error_is_raised_as_it_is_and_the_others_have_ended_by_then() -> None:
    ended = asyncio.Event()

    async def waiting() -> int:
        try:
            return await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.set()

    with pytest.raises(UnavailableError, match="as scripted"):
        await together(waiting(), failing())
    assert ended.is_set()


async def test_an_error_leaves_no_request_to_cancel_behind() -> None:
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(UnavailableError):
        await together(failing(), later(1))
    assert task.cancelling() == 0


async def test_whoever_is_cancelled_cancels_them_all() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waiting() -> int:
        begun.set()
        try:
            return await asyncio.Event().wait()
        finally:
            ended.set()

    awaiting = asyncio.create_task(together(waiting(), later(1)))
    await begun.wait()
    awaiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await awaiting
    assert ended.is_set()


async def test_an_embedder_that_asks_in_parallel_and_is_down_is_retried_later_and_not_at_once(tmp_path: Path) -> None:
    class Parallel(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            await together(failing(), later(1))
            return await super().embed(texts)

    service = await a_service(tmp_path, embedder=Parallel())
    await service.register()
    await service.work()
    (event,) = service.registry.committed.events.values()
    assert (event.attempts, event.due > service.registry.clock()) == (1, True)
    await service.work_for(timedelta(minutes=2))
    assert DocumentState.INDEXED not in service.states.values()
