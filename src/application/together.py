"""Await several things at once and fail with the first plain error, the others cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Other = TypeVar("Other")


async def together(*coroutines: Coroutine[Any, Any, T]) -> list[T]:
    """The results in order. A task group's own error would hide ours inside an ExceptionGroup."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, Other]) -> tuple[T, Other]:
    """As above, for two results of different types."""
    found: list[Any] = await together(first, second)
    return found[0], found[1]
