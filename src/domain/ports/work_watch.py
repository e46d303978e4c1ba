"""Whoever looks on while events are worked on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from domain.events import StartedEvent


class WorkResult(StrEnum):
    """How the work on an event ended; the values are stable."""

    DONE = "done"
    RETRIED = "retried"
    PUT_OFF = "put_off"
    SPLIT = "split"
    FAILED = "failed"
    PASSED_ON = "passed_on"
    NOTHING_LEFT = "nothing_left"
    HANDED_BACK = "handed_back"
    UNRECORDED = "unrecorded"


Tell = Callable[[WorkResult], None]


class WorkWatch(Protocol):
    """It sees, and changes nothing: no method raises an error of its own."""

    def work(self, started: StartedEvent) -> AbstractContextManager[Tell]:
        """Around all work on an event; whoever works tells how it ended.

        What ends without a word is `handed_back` where it was cancelled, else `unrecorded`. What is raised passes.
        """
        ...

    def rescued(self, claims: int) -> None:
        """So many events were taken from holders whose lease had run out."""
        ...
