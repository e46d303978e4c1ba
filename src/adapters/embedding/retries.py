"""When a request is made again, and how long that waits."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.errors import UnavailableError

ATTEMPTS = 4
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 4.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


class PassingError(Exception):
    """A failure that may be over at the next attempt, `wait_s` from now where the server said so."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


async def retried(attempt: Callable[[], Awaitable[T]], *, ends_at: float) -> T:
    """What the attempt gives, made at most ATTEMPTS times; none begins after `ends_at` on the loop's clock.

    A wait that the server asks for is kept to; one that would end too late is not begun: whoever asked tries
    again later. Raises UnavailableError for the last PassingError.
    """
    made = 0
    while True:
        try:
            return await attempt()
        except PassingError as error:
            made += 1
            pause_s = pause_after(made, asked_s=error.wait_s, jitter=random.random())  # noqa: S311 - no secret
            if made == ATTEMPTS or asyncio.get_running_loop().time() + pause_s >= ends_at:
                raise UnavailableError("embedder", error.reason) from error
            _log.info("the embedder is asked again in %.1f s: %s", pause_s, error.reason)
        await asyncio.sleep(pause_s)


def pause_after(made: int, *, asked_s: float | None, jitter: float) -> float:
    """Seconds to wait after that many attempts; `jitter` lies in [0, 1) and takes up to half of a pause of ours."""
    pause_s = min(_FIRST_PAUSE_S * 2.0 ** (made - 1), _LONGEST_PAUSE_S) * (1 - jitter / 2)
    return max(pause_s, asked_s or 0.0)
