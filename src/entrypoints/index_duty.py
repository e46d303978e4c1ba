"""What a worker owes the vector index: it works while its own is current, and builds that again when lost."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from application.keep_index import KeepIndex, Standing
from application.rebuild_index import RebuildIndex
from domain.errors import ConflictError, MisconfiguredError, UnavailableError
from domain.ports.catalogue import IndexView

_TELL_EVERY_S = 10.0
_log = logging.getLogger("ladderbase.worker")


@dataclass(slots=True, kw_only=True)
class IndexDuty:
    """`may_work` is set once events may be handled here.

    A worker whose model makes another index than the current one waits: its vectors would be found by nobody.
    With `follows_model` it builds that index and takes over instead.
    """

    keep_index: KeepIndex
    rebuild_index: RebuildIndex
    follows_model: bool
    look_every_s: float = 10.0
    longest_pause_s: float = 10.0
    may_work: asyncio.Event = field(default_factory=asyncio.Event)
    builder: str = field(default_factory=lambda: str(uuid4()))
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def __call__(self) -> None:
        """Go on for ever. Raises ConflictError when another index has become the current one under a working worker."""
        pause_s = 1.0
        while True:
            try:
                standing = await self.keep_index(is_open=self.may_work.is_set())
                self._require_current(standing)
                await self._act(standing)
            except (UnavailableError, MisconfiguredError) as error:
                _log.warning("the vector index is not ready, next look in %.1f s: %s", pause_s, error)
                await self.sleep(pause_s)
                pause_s = min(pause_s * 2, self.longest_pause_s)
            else:
                pause_s = 1.0
                await self.sleep(self.look_every_s)

    def _require_current(self, standing: Standing) -> None:
        if standing is Standing.NOT_CURRENT and self.may_work.is_set():
            raise ConflictError(
                f"the index of {self.rebuild_index.index.key} is not current any more: "
                "start this worker with the settings of the new one"
            )

    async def _act(self, standing: Standing) -> None:
        if standing is Standing.NOT_CURRENT and not self.follows_model:
            _log.warning(
                "waiting: the current index is not of %s; `ladderbase reindex --all` with these settings builds it",
                self.rebuild_index.index.key,
            )
            return
        if standing is not Standing.NOT_CURRENT:
            self.may_work.set()
        if standing is not Standing.READY:
            await self._build()

    async def _build(self) -> None:
        tell = told_now_and_then(_log.info)
        try:
            async for view in self.rebuild_index(self.builder):
                tell(view)
        except ConflictError as error:
            _log.info("%s", error)  # it goes on there, or here once that one falls silent
        else:
            self.may_work.set()
            _log.info("the index of %s is complete", self.rebuild_index.index.key)


def told_now_and_then(
    say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
) -> Callable[[IndexView], None]:
    """Say how far a building is, at most every ten seconds."""
    last_s = clock() - _TELL_EVERY_S

    def tell(view: IndexView) -> None:
        nonlocal last_s
        if clock() - last_s >= _TELL_EVERY_S:
            last_s = clock()
            say(f"building the vector index: {view.held} of {view.total} documents")

    return tell
