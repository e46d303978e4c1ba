"""Ports of the in-memory service with a place before and after each call, where things may happen to whoever calls."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hypothesis import note

from domain.errors import UnavailableError
from domain.ports.unit_of_work import Transaction, UnitOfWork

_SETTLED_AFTER = 3  # turns of the loop until a cancelled task's own tasks have heard of it


class Kind(StrEnum):
    """What happens at a place: to the process that passes it, or by the hand of others while it waits there."""

    CRASH = "crash"  # nothing is closed, flushed or handed back
    CANCEL = "cancel"  # told to stop, like a worker at its SIGTERM
    BUG = "bug"
    NO_ANSWER = "no answer"  # before a call: it was not made; after it: its outcome is unknown
    OUTAGE = "outage"  # this port gives no answer any more, until the work has ended

    LAPSE = "the lease runs out"
    OTHERS_WORK = "others do what is due"
    DELETE = "its program is deleted"
    REPLACE = "its program gets other files"
    REINDEX = "its program is indexed anew"
    REMOVE = "the further documents of its program are removed"
    FLUSH = "the queue forgets everything"
    SEARCH = "somebody searches"

    @property
    def is_of_others(self) -> bool:
        """Whether it happens beside whoever passes, who goes on."""
        return self not in {Kind.CRASH, Kind.CANCEL, Kind.BUG, Kind.NO_ANSWER, Kind.OUTAGE}


@dataclass(frozen=True, slots=True)
class Strike:
    """At the place of this number, counted from 0, that the work passes."""

    kind: Kind
    at: int

    def __repr__(self) -> str:
        return f"{self.kind.name}@{self.at}"


class Crash(BaseException):
    """The process is dead."""


class BugError(RuntimeError):
    """What nobody thought of."""


@dataclass(slots=True)
class Script:
    """What happens to one piece of work. `others` do what is theirs to do, as if no script were played."""

    strikes: list[Strike]
    others: Callable[[Kind], Awaitable[None]]
    task: "asyncio.Task[Any] | None" = None
    passed: int = 0
    is_dead: bool = False
    down: set[str] = field(default_factory=set)

    async def reach(self, port: str, place: str, *, is_in_transaction: bool = False) -> None:
        """Pass a place. Others wait until no transaction is open: the fakes have no locks to make them wait."""
        if self.is_dead:
            raise Crash
        self.passed += 1
        for strike in [each for each in self.strikes if each.at < self.passed]:
            if not (is_in_transaction and strike.kind.is_of_others):
                self.strikes.remove(strike)
                note(f"    {strike.kind.value}: {place} of {port}")
                await self._strike(strike.kind, port)
        if port in self.down:
            raise UnavailableError(port, "as scripted")

    async def _strike(self, kind: Kind, port: str) -> None:
        if kind.is_of_others:
            await _apart(self.others(kind))
        elif kind is Kind.CRASH:
            self.is_dead = True
            raise Crash
        elif kind is Kind.CANCEL:
            await self._cancel()
        elif kind is Kind.BUG:
            raise BugError
        elif kind is Kind.OUTAGE:
            self.down.add(port)
        else:
            raise UnavailableError(port, "as scripted")

    async def _cancel(self) -> None:
        if self.task:
            self.task.cancel()
        for _ in range(_SETTLED_AFTER):
            await asyncio.sleep(0)


_SCRIPT: ContextVar[Script | None] = ContextVar("script", default=None)


async def played(script: Script, work: Any) -> BaseException | None:
    """What ended the work on which the script was played, if anything did."""
    context = copy_context()
    context.run(_SCRIPT.set, script)
    script.task = asyncio.get_running_loop().create_task(work, context=context)
    await asyncio.wait({script.task})
    return asyncio.CancelledError() if script.task.cancelled() else script.task.exception()


async def _apart(work: Awaitable[None]) -> None:
    async def run() -> None:
        await work

    context = copy_context()
    context.run(_SCRIPT.set, None)
    await asyncio.get_running_loop().create_task(run(), context=context)


class Passages:
    """Stands before a port of the fakes: places before and after each call, before each piece of what it yields."""

    def __init__(self, inner: Any, port: str) -> None:
        self._inner = inner
        self._port = port

    def __getattr__(self, name: str) -> Any:
        attribute, script = getattr(self._inner, name), _SCRIPT.get()
        if script is None:
            return attribute
        if inspect.iscoroutinefunction(attribute):
            return self._awaited(attribute, name, script)
        if inspect.isasyncgenfunction(attribute):
            return self._yielding(attribute, name, script)
        return attribute

    def _awaited(self, attribute: Callable[..., Awaitable[Any]], name: str, script: Script) -> Any:
        async def call(*arguments: Any, **keywords: Any) -> Any:
            await script.reach(self._port, f"before {name}")
            result = await attribute(*arguments, **keywords)
            await script.reach(self._port, f"after {name}")
            return result

        return call

    def _yielding(self, attribute: Callable[..., AsyncIterator[Any]], name: str, script: Script) -> Any:
        async def call(*arguments: Any, **keywords: Any) -> AsyncIterator[Any]:
            await script.reach(self._port, f"before {name}")
            async for piece in attribute(*arguments, **keywords):
                yield piece

        return call


class PassagesOfTransactions(UnitOfWork):
    """Places before a transaction, before its COMMIT and after it."""

    def __init__(self, inner: UnitOfWork) -> None:
        self._inner = inner

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        script = _SCRIPT.get()
        if script is None:
            async with self._inner.begin() as transaction:
                yield transaction
            return
        await script.reach("postgres", "before BEGIN")
        async with self._inner.begin() as transaction:
            yield transaction
            await script.reach("postgres", "before COMMIT", is_in_transaction=True)
        await script.reach("postgres", "after COMMIT")


def in_order(strikes: Sequence[Strike]) -> list[Strike]:
    """In the order of their places."""
    return sorted(strikes, key=lambda strike: strike.at)
