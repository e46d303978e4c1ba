"""A part of the embedded product: one program, how to know that it is ready, and how to end it."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a program runs as where root may not; `reach` are the paths that it must be able to enter."""

    user_id: int
    group_id: int
    reach: Sequence[Path]


async def at_once() -> str:
    """The readiness of a program that has nothing to wait for."""
    return ""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One program under supervision.

    `prepare` runs before every start, off the event loop; it may block, for a bounded time. `ready` answers
    an empty string once the program serves, else what it waits for; it is asked again and again within
    `start_s` seconds. A `one_shot` is ready when it has ended with exit code 0. `address` is for people.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    prepare: Callable[[], None] = _nothing
    ready: Callable[[], Awaitable[str]] = at_once
    address: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    start_s: float = 30.0
    grace_s: float = 10.0
    one_shot: bool = False
    account: Account | None = None


class StartError(Exception):
    """A program did not come up. The message is for people and ends with the last lines of its log."""
