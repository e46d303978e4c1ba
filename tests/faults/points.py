"""Named points in the work of the product, reached through wrappers around its ports: the product has no test code.

A process is told by its environment which point is armed, at which passage, and what happens there. Once only.
"""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CRASHED = 137  # what a shell says of a program that was killed by signal 9


class Point(StrEnum):
    """Where something may happen to a process."""

    API_BEFORE_BLOB = "api: before the first blob"
    API_BLOB_PUT = "api: after a blob was put"
    API_BEFORE_COMMIT = "api: before COMMIT"
    API_COMMITTED = "api: after COMMIT, before the answer"

    RELAY_SELECTED = "relay: events selected, before COMMIT"
    RELAY_CLAIMED = "relay: events claimed, before they are enqueued"
    RELAY_DISPATCHED = "relay: after an event was enqueued"

    WORKER_STARTED = "worker: at the start of a job"
    WORKER_ARCHIVE_READ = "worker: after the archive was read"
    WORKER_PARSED = "worker: after parsing"
    WORKER_EMBEDDED = "worker: after embedding"
    WORKER_HALF_UPSERTED = "worker: half of the upserts"
    WORKER_UPSERTED = "worker: after the upserts, before the read-back"
    WORKER_READ_BACK = "worker: after the read-back, before the transaction"
    WORKER_BEFORE_COMMIT = "worker: documents marked, before COMMIT"
    WORKER_COMMITTED = "worker: after COMMIT of the documents"
    WORKER_FINISHED = "worker: after COMMIT of the event, before arq's finish"

    PURGE_STARTED = "purge: at the start"
    PURGE_VECTORS = "purge: after the vectors"
    PURGE_BLOBS = "purge: after the blobs, before the rows"
    PURGE_BEFORE_COMMIT = "purge: rows deleted, before COMMIT"
    PURGE_COMMITTED = "purge: after COMMIT, before arq's finish"

    WEBHOOK_CLAIMED = "webhook: before it is sent"
    WEBHOOK_SENT = "webhook: after it was answered, before that is recorded"
    WEBHOOK_RECORDED = "webhook: after it was recorded"

    USES_READ = "uses: recorded anew, before COMMIT"
    USES_RECORDED = "uses: after COMMIT of what was lacking"

    @property
    def owner(self) -> str:
        """Who passes there: api, relay, worker, purge, webhook or uses."""
        return self.value.partition(":")[0]


def points_of(*owners: str) -> list[Point]:
    """The points that these pass."""
    return [point for point in Point if point.owner in owners]


class Action(StrEnum):
    """What happens at the armed point."""

    CRASH = "crash"  # os._exit, like kill -9: nothing is closed, flushed or handed back
    STOP = "stop"  # SIGSTOP: a zombie that may wake up later
    TERMINATE = "terminate"  # SIGTERM to itself, and on


@dataclass(slots=True, kw_only=True)
class Armed:
    """One armed point. `reach` is called at every passage of every point."""

    point: Point | None = None
    passage: int = 1
    action: Action = Action.CRASH
    passed: dict[Point, int] = field(default_factory=dict)

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Armed":
        name = environment.get("FAULT_POINT")
        return Armed(
            point=Point(name) if name else None,
            passage=int(environment.get("FAULT_PASSAGE", "1")),
            action=Action(environment.get("FAULT_ACTION", Action.CRASH)),
        )

    def reach(self, point: Point) -> None:
        count = self.passed[point] = self.passed.get(point, 0) + 1
        if point is not self.point or count != self.passage:
            return
        if self.action is Action.CRASH:
            os._exit(CRASHED)
        os.kill(os.getpid(), signal.SIGSTOP if self.action is Action.STOP else signal.SIGTERM)


def armed(point: Point, *, passage: int = 1, action: Action = Action.CRASH) -> dict[str, str]:
    """The environment that arms a point."""
    return {"FAULT_POINT": point.value, "FAULT_PASSAGE": str(passage), "FAULT_ACTION": action.value}


After = Callable[[str, tuple[Any, ...], Any], Awaitable[None] | None]
"""Told the method, its positional arguments and its result, once it has returned."""


class Watched:
    """Stands before an object and tells `after` of every awaited method that returned; `change` may alter its keywords.

    Dynamic, so that a port that gains a method needs no change here.
    """

    def __init__(
        self, inner: Any, after: After, change: Callable[[dict[str, Any]], dict[str, Any]] = lambda keywords: keywords
    ) -> None:
        self._inner = inner
        self._after = after
        self._change = change

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **keywords: Any) -> Any:
            answer = attribute(*arguments, **self._change(keywords))
            return self._told(name, arguments, answer) if hasattr(answer, "__await__") else answer

        return call

    async def _told(self, name: str, arguments: tuple[Any, ...], answer: Awaitable[Any]) -> Any:
        result = await answer
        told = self._after(name, arguments, result)
        if told is not None:
            await told
        return result
