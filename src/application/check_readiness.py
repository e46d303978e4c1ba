"""Whether an upload would be accepted and searched now, and if not, what that waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import LadderbaseError, UnavailableError

Check = Callable[[], Awaitable[str | None]]
"""Raises one of our errors where a dependency is not ready; a ready one may answer a notice.

Any of them: what refuses even the probe, as text or as content, does not serve either.
"""

VECTOR_INDEX = "vector index"
"""What says of itself that it is away as long as it is being built."""

GOOD_FOR_S = 30.0
BAD_FOR_S = 5.0


class ReadinessPart(StrEnum):
    """What of the service is asked about."""

    ALL = "all"
    UPLOADS = "uploads"
    SEARCH = "search"


NEEDED_FOR: Mapping[ReadinessPart, frozenset[str]] = {
    ReadinessPart.UPLOADS: frozenset({"postgres", "blob store", "scratch disk"}),
    ReadinessPart.SEARCH: frozenset({"postgres", "milvus", VECTOR_INDEX, "embedder"}),
}
"""The dependencies of a part; those of the whole are all that there are."""


class WaitsBecause(StrEnum):
    """Why a dependency is not ready, in words that say nothing of how it is set up; the values are stable."""

    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    INCOMPLETE = "incomplete"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A dependency that is not ready, and why; `reason` names settings and quotes servers: it is for operators."""

    dependency: str
    reason: str
    because: WaitsBecause = WaitsBecause.UNAVAILABLE

    @property
    def state(self) -> str:
        """In one word."""
        return self.because.value

    @property
    def text(self) -> str:
        """In words for an operator."""
        return self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """A dependency that is ready, but not for everything; `notice` is for operators, too."""

    dependency: str
    notice: str

    @property
    def state(self) -> str:
        """In one word."""
        return "limited"

    @property
    def text(self) -> str:
        """In words for an operator."""
        return self.notice


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Asks the dependencies at once, each for `timeout_s` seconds at most; none any more once `is_stopping`."""

    checks: Mapping[str, Check]
    timeout_s: float = 2.0
    is_stopping: Callable[[], bool] = lambda: False

    async def __call__(self, part: ReadinessPart = ReadinessPart.ALL) -> list[Waiting | Limited]:
        """What the part waits for, and what is limited; it is ready when nothing is waited for."""
        if self.is_stopping():
            reason = "it is about to stop: ask another"
            return [Waiting(dependency="api", reason=reason, because=WaitsBecause.STOPPING)]
        needed = NEEDED_FOR.get(part, self.checks.keys())
        asked = [(name, check) for name, check in self.checks.items() if name in needed]
        answers = await asyncio.gather(*(_ask(name, check, self.timeout_s) for name, check in asked))
        return [answer for answer in answers if answer is not None]


class RememberedCheck:
    """A check that costs something: its last answer holds for a while, however many probes come.

    It is never asked twice at once. A probe that gives up leaves the question standing, so that whoever comes next
    finds its answer; `longest_s` ends one that is never answered. `clock` gives seconds that never go back.
    """

    def __init__(self, check: Check, *, clock: Callable[[], float], longest_s: float = 30.0) -> None:
        self._check = check
        self._clock = clock
        self._longest_s = longest_s
        self._asking: asyncio.Task[_Answer] | None = None
        self._answer: _Answer | None = None
        self._ends_at = 0.0

    async def __call__(self) -> str | None:
        """The notice or the error of the last answer, asked anew where that is too old."""
        answer = self._answer
        if answer is None or self._clock() >= self._ends_at:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
            answer = await asyncio.shield(self._asking)
        if answer.error:
            raise answer.error.with_traceback(None)  # raised again and again, it would collect them all
        return answer.notice

    async def _ask(self) -> "_Answer":
        try:
            answer = await _answer_of(self._check, self._longest_s)
            self._answer = answer
            self._ends_at = self._clock() + (BAD_FOR_S if answer.error else GOOD_FOR_S)
            return answer
        finally:
            self._asking = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    notice: str | None = None
    error: LadderbaseError | None = None


async def _answer_of(check: Check, longest_s: float) -> _Answer:
    try:
        async with asyncio.timeout(longest_s):
            return _Answer(notice=await check())
    except LadderbaseError as error:
        return _Answer(error=error)
    except TimeoutError:
        return _Answer(error=UnavailableError("dependency", f"no answer within {longest_s:g} s"))


async def _ask(dependency: str, check: Check, timeout_s: float) -> Waiting | Limited | None:
    try:
        async with asyncio.timeout(timeout_s):
            notice = await check()
    except UnavailableError as error:
        because = WaitsBecause.INCOMPLETE if error.dependency == VECTOR_INDEX else WaitsBecause.UNAVAILABLE
        return Waiting(dependency=dependency, reason=error.reason, because=because)
    except LadderbaseError as error:
        return Waiting(dependency=dependency, reason=str(error), because=WaitsBecause.MISCONFIGURED)
    except TimeoutError:
        return Waiting(dependency=dependency, reason=f"no answer within {timeout_s:g} s")
    return Limited(dependency=dependency, notice=notice) if notice else None
