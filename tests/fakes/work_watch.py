"""A WorkWatch that remembers what it saw."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from domain.events import StartedEvent
from domain.ports.work_watch import Tell, WorkResult, WorkWatch


class RememberingWatch(WorkWatch):
    def __init__(self) -> None:
        self.results: list[WorkResult] = []
        self.rescues = 0

    @contextmanager
    def work(self, started: StartedEvent) -> Iterator[Tell]:
        told: list[WorkResult] = []
        result = WorkResult.UNRECORDED
        try:
            yield told.append
            result = told[-1]
        except asyncio.CancelledError:
            result = WorkResult.HANDED_BACK
            raise
        finally:
            self.results.append(result)

    def rescued(self, claims: int) -> None:
        self.rescues += claims
