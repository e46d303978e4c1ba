"""One look at the record for all who follow the same program in this process."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.errors import NotFoundError, UnavailableError
from domain.indexing_standing import IndexingStanding
from domain.ports.progress import Progress

LOOK_EVERY_S = 0.5
_REMEMBERED_FOR_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Look:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    taken_at: float = -math.inf
    standing: IndexingStanding | None = None
    error: NotFoundError | UnavailableError | None = None


class IndexingWatch:
    """Whoever asks within `every_s` of a look is shown what that one saw, be it an error. One for each process."""

    def __init__(self, progress: Progress, *, monotonic: Callable[[], float], every_s: float = LOOK_EVERY_S) -> None:
        self.every_s = every_s
        self._progress = progress
        self._monotonic = monotonic
        self._looks: dict[str, _Look] = {}

    async def look(self, pgm_id: str, *, anew: bool = False) -> IndexingStanding:
        """How a program stands; `anew` takes no look of before. Raises NotFoundError, UnavailableError."""
        look = self._look_at(pgm_id)
        async with look.lock:
            if anew or self._monotonic() >= look.taken_at + self.every_s:
                await self._take(look, pgm_id)
        if look.error:
            raise look.error
        if look.standing is None:
            raise AssertionError("a look saw neither a standing nor an error")
        return look.standing

    async def _take(self, look: _Look, pgm_id: str) -> None:
        try:
            look.standing, look.error = await self._progress.of(pgm_id), None
        except NotFoundError as error:
            look.error = error
        except UnavailableError as error:
            look.error = error
            _log.warning("the progress of %s cannot be read: %s", pgm_id, error)
        look.taken_at = self._monotonic()

    def _look_at(self, pgm_id: str) -> _Look:
        if pgm_id not in self._looks:
            since = self._monotonic() - _REMEMBERED_FOR_S
            self._looks = {
                each: look for each, look in self._looks.items() if look.lock.locked() or look.taken_at > since
            }
            self._looks[pgm_id] = _Look()
        return self._looks[pgm_id]
