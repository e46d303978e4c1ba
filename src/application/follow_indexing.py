"""Follow the indexing of a program to its end, from whichever moment the follower was told of last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum

from application.indexing_watch import IndexingWatch
from domain.errors import BusyError, NotFoundError, UnavailableError
from domain.indexing_standing import IndexingStanding, Position
from domain.told import told

HEARTBEAT_EVERY_S = 15.0
LONGEST_S = 900.0
"""So long after its credential was looked at, a follower has to come again with it."""
_COME_AGAIN_S = 5.0


class Signal(Enum):
    """What there is to say besides how a program stands."""

    STILL_HERE = "still here"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowIndexing:
    """Nothing is queued for a follower: one that is slow is told of fewer moments, though of every state."""

    watch: IndexingWatch
    stopping: asyncio.Event
    monotonic: Callable[[], float]
    heartbeat_s: float = HEARTBEAT_EVERY_S
    longest_s: float = LONGEST_S

    async def begin(self, pgm_id: str) -> IndexingStanding:
        """How the program stands now. Raises NotFoundError, UnavailableError, BusyError where the process ends."""
        if self.stopping.is_set():
            raise BusyError(told("this process is about to stop"), wait_s=_COME_AGAIN_S)
        return await self.watch.look(pgm_id, anew=True)

    async def follow(
        self, standing: IndexingStanding, last: Position | None
    ) -> AsyncIterator[IndexingStanding | Signal]:
        """Yield what comes after `last`, and a sign of life where nothing does, until the indexing has ended.

        Ends earlier when the process is about to stop, and after `longest_s`: whoever comes again goes on.
        """
        began_at = told_at = self.monotonic()
        while True:
            for step in standing.since(last):
                yield step
                last, told_at = step.position, self.monotonic()
            if standing.has_ended or await self._is_to_stop() or self.monotonic() - began_at >= self.longest_s:
                return
            try:
                standing = await self.watch.look(standing.pgm_id)
            except NotFoundError:
                yield Signal.DELETED
                return
            except UnavailableError:
                pass  # the watch has told the log; there is a next look
            if self.monotonic() - told_at >= self.heartbeat_s:
                yield Signal.STILL_HERE
                told_at = self.monotonic()

    async def _is_to_stop(self) -> bool:
        """Wait for the next look."""
        try:
            async with asyncio.timeout(self.watch.every_s):
                await self.stopping.wait()
        except TimeoutError:
            return False
        return True
