"""When keys were last used: told to the record once a minute, beside the requests and after the last of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from application.known_keys import USES_EVERY, KnownKeys


@asynccontextmanager
async def uses_told(known_keys: KnownKeys, *, every_s: float = USES_EVERY.total_seconds()) -> AsyncIterator[None]:
    """Tell them for the length of the block."""
    telling = asyncio.create_task(_tell(known_keys, every_s))
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await known_keys.tell_uses()


async def _tell(known_keys: KnownKeys, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await known_keys.tell_uses()
