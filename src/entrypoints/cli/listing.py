"""Listings of the service, page after page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from entrypoints.cli.problems import Answer
from entrypoints.cli.service import Service

PAGE = 200
"""As many items as the service puts on a page at most."""


async def pages(
    page: Callable[[Mapping[str, Any]], Awaitable[Answer]], narrowed: Mapping[str, Any]
) -> AsyncIterator[Answer]:
    """The page that is asked for and all that follow it, which are not counted again."""
    answer = await page(narrowed)
    yield answer
    rest = {name: value for name, value in narrowed.items() if name != "total"}
    while answer["next"]:
        answer = await page({**rest, "cursor": answer["next"]})
        yield answer


async def all_documents(service: Service, pgm_id: str) -> list[Answer]:
    """The documents of the revision that answers: as many as an upload may have."""

    async def page(narrowed: Mapping[str, Any]) -> Answer:
        return await service.documents(pgm_id, narrowed)

    return [document async for answer in pages(page, {"limit": PAGE}) for document in answer["items"]]
