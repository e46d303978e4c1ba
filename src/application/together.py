"""Await several things at once and fail with the first error, the others cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Other = TypeVar("Other")


async def together(*coroutines: Coroutine[Any, Any, T]) -> list[T]:
    """The results in order. None of them runs on once this has ended.

    No task group: its own error would hide ours, and up to Python 3.12 it leaves the task that awaits it with a
    request to cancel that nobody made (CPython issue 116720), for which a worker would hand its work back at once.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, Other]) -> tuple[T, Other]:
    """As above, for two results of different types."""
    found: list[Any] = await together(first, second)
    return found[0], found[1]
