"""How the indexing of a program goes on: as the service tells it, and where it cannot, as it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from entrypoints.cli.problems import Answer, NoServiceError, RefusedError, TimedOutError
from entrypoints.cli.service import Service, events_of

_STANDSTILL_S = 1_800.0
_OUTAGE_S = 30.0
_SILENCE_S = 45.0
"""Three signs of life of a stream, which gives one every 15 s."""

_BEGINS_WITHIN_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.3, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """For how long, in seconds, is waited in all, and while nothing moves: longer than the service keeps trying."""

    longest_s: float = float("inf")
    standstill_s: float = _STANDSTILL_S


@dataclass(slots=True)
class _Follower:
    """Where a stream is to go on, and since when nothing has moved."""

    pgm_id: str
    patience: Patience
    begun: float
    moved: float
    answered: float
    done: int = -1
    last_id: str = ""

    def note(self, standing: Answer) -> None:
        self.answered = _now()
        if standing["done"] != self.done:
            self.moved, self.done = self.answered, standing["done"]

    @property
    def left_s(self) -> float:
        return min(self.begun + self.patience.longest_s, self.moved + self.patience.standstill_s) - _now()

    def require_patience(self) -> None:
        if self.left_s > 0:
            return
        if _now() - self.begun >= self.patience.longest_s:
            raise TimedOutError(f"{self.pgm_id} is still being indexed: {self.done} documents are done")
        raise TimedOutError(f"the indexing of {self.pgm_id} stands still: {self.done} documents are done")


async def progress(service: Service, pgm_id: str, patience: Patience | None = None) -> AsyncIterator[Answer]:
    """Tell again and again how many documents are `done`, of `total`, until nothing more happens.

    The last one is the whole status. A stream of events tells it; where none is to be had, or one breaks off, the
    status is asked for, ever more seldom. An outage of up to half a minute is sat out. Raises TimedOutError.
    """
    now = _now()
    follower = _Follower(pgm_id, patience or Patience(), begun=now, moved=now, answered=now)
    pause_s = _FIRST_PAUSE_S
    while True:
        async for standing in _streamed(service, follower):
            follower.note(standing)
            pause_s = _FIRST_PAUSE_S
            yield standing
        try:
            indexing = await service.indexing(pgm_id)
        except NoServiceError:
            if _now() - follower.answered > _OUTAGE_S:
                raise
        else:
            follower.note(indexing)
            yield indexing
            if indexing["status"] != "indexing":
                return
        follower.require_patience()
        await asyncio.sleep(min(pause_s, max(0.0, follower.left_s)))
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _streamed(service: Service, follower: _Follower) -> AsyncIterator[Answer]:
    """What a stream tells after the last event that came, until it ends, falls silent or cannot be had.

    It begins with how things are: one that does not is held back by a proxy.
    """
    headers = {"Last-Event-ID": follower.last_id} if follower.last_id else {}
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(min(_BEGINS_WITHIN_S, follower.left_s)):
                opened = service.opened(events_of(follower.pgm_id), headers, silence_s=_SILENCE_S)
                events = _events(await stack.enter_async_context(opened))
                event = await anext(events, None)
            while event is not None:
                follower.last_id, standing = event
                yield standing
                async with asyncio.timeout(follower.left_s):
                    event = await anext(events, None)
    except (NoServiceError, RefusedError, TimeoutError):
        return  # the status tells what that means


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Answer]]:
    """The id and the standing of each event that has both (WHATWG HTML, 9.2)."""
    event_id, told = "", ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            event_id = value
        elif name == "data":
            told = value
        elif not line:
            if event_id and (standing := _standing(told)):
                yield event_id, standing
            event_id, told = "", ""


def _standing(told: str) -> Answer | None:
    try:
        standing = json.loads(told)
    except json.JSONDecodeError:
        return None
    return standing if isinstance(standing, dict) and {"done", "total"} <= standing.keys() else None


def _now() -> float:
    return asyncio.get_running_loop().time()
