"""Long walks in slices that fit into memory."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TypeVar

T = TypeVar("T")

MOST_ITEMS = 64
MOST_CHUNKS = 8_000


async def in_slices(items: AsyncIterable[T], *, chunks: Callable[[T], int]) -> AsyncIterator[list[T]]:
    """Slices of at most MOST_ITEMS items that hold some MOST_CHUNKS chunks together, at least one item each."""
    some: list[T] = []
    held = 0
    async for item in items:
        some.append(item)
        held += chunks(item)
        if len(some) == MOST_ITEMS or held >= MOST_CHUNKS:
            yield some
            some, held = [], 0
    if some:
        yield some
