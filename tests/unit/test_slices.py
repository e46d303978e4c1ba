"""A walk over a million chunks holds a slice of them at a time."""

from collections.abc import AsyncIterator

from application.slices import MOST_CHUNKS, MOST_ITEMS, in_slices


async def sliced(*chunks: int) -> list[list[int]]:
    async def each() -> AsyncIterator[int]:
        for number in chunks:
            yield number

    return [some async for some in in_slices(each(), chunks=lambda number: number)]


async def test_a_slice_holds_so_many_items_at_most() -> None:
    assert [len(some) for some in await sliced(*[1] * (2 * MOST_ITEMS + 3))] == [MOST_ITEMS, MOST_ITEMS, 3]


async def test_a_slice_ends_where_it_holds_enough_chunks_and_never_before_the_first_item() -> None:
    half = MOST_CHUNKS // 2
    assert await sliced(half, half, 1, 9 * MOST_CHUNKS, 1) == [[half, half], [1, 9 * MOST_CHUNKS], [1]]


async def test_nothing_gives_no_slice() -> None:
    assert await sliced() == []
