"""Which stage of the work it is that fails, where stages overlap."""

from collections.abc import Awaitable
from typing import TypeVar

from domain.failures import Reached, Stage

T = TypeVar("T")


async def at(stage: Stage, reached: Reached, work: Awaitable[T]) -> T:
    """The result of the work. Told of its stage where it fails: others may have begun since it did."""
    try:
        return await work
    except Exception:
        reached(stage)
        raise
