"""Starts programs in order, restarts what dies, and ends everything in reverse order."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from entrypoints.embedded.child import Child, described, last_lines
from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.guard import Guard, Ward


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Doubling pauses up to a cap; more than `limit` deaths within `within_s` seconds are one too many."""

    first_delay_s: float = 0.5
    longest_delay_s: float = 8.0
    limit: int = 5
    within_s: float = 60.0

    def delay_after(self, deaths: int) -> float:
        """The pause in seconds after this many recent deaths, from 1."""
        return float(min(self.first_delay_s * 2 ** (deaths - 1), self.longest_delay_s))


class Supervisor:
    """Programs under supervision. Use it from the main thread.

    `say` takes one line for people.
    """

    def __init__(self, *, guard: Guard, say: Callable[[str], None], policy: RestartPolicy) -> None:
        self._guard = guard
        self._say = say
        self._policy = policy
        self._in_order: list[Component] = []
        self._running: dict[str, Child] = {}

    async def start(self, components: Sequence[Component]) -> None:
        """Start in order, each after the one before is ready.

        Raises:
            StartError: one did not come up. Those before it still run: call `stop`.
        """
        for component in components:
            if not component.one_shot:
                self._in_order.append(component)
            await self._bring_up(component)

    async def watch(self) -> None:
        """Restart what dies; never returns.

        Raises:
            StartError: one died too often.
        """
        try:
            async with asyncio.TaskGroup() as watchers:
                for component in self._in_order:
                    watchers.create_task(self._keep_up(component))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def stop(self) -> None:
        """End everything, the last started first. When cancelled it kills instead."""
        try:
            for component in reversed(self._in_order):
                await self._end(component.name)
        finally:
            for name in tuple(self._running):
                self._bury(name)

    async def _bring_up(self, component: Component) -> None:
        try:
            await _finished(component.prepare)
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"{component.name} cannot be prepared: {error}") from error
        child = self._running[component.name] = Child(component)
        self._tell_guard()
        try:
            await child.until_ready()
        except StartError:
            self._bury(component.name)
            raise
        if component.one_shot:
            self._bury(component.name)
        self._say(f"{component.name} {_state(component)}")

    async def _keep_up(self, component: Component) -> None:
        deaths: list[float] = []
        while True:
            trouble = described(await self._running[component.name].ended())
            self._bury(component.name)
            while trouble:
                deaths = [*self._recent(deaths), time.monotonic()]
                await self._pause(component, trouble, deaths=len(deaths))
                trouble = await self._restarted(component)

    def _recent(self, deaths: Sequence[float]) -> list[float]:
        return [death for death in deaths if time.monotonic() - death < self._policy.within_s]

    async def _pause(self, component: Component, trouble: str, *, deaths: int) -> None:
        if deaths > self._policy.limit:
            raise StartError(f"{component.name} does not stay up ({trouble}){last_lines(component.log)}")
        delay_s = self._policy.delay_after(deaths)
        self._say(f"{component.name} died ({trouble}), restarting in {delay_s:g} s")
        await asyncio.sleep(delay_s)

    async def _restarted(self, component: Component) -> str:
        """Why it could not be restarted; empty where it could."""
        try:
            await self._bring_up(component)
        except StartError as error:
            return str(error).splitlines()[0]
        return ""

    async def _end(self, name: str) -> None:
        child = self._running.get(name)
        if child is None:
            return  # it died, and its restart was not due yet
        if not await child.end():
            self._say(f"{name} did not end by itself and was killed")
        self._bury(name)

    def _bury(self, name: str) -> None:
        self._running.pop(name).kill()
        self._tell_guard()

    def _tell_guard(self) -> None:
        self._guard.watch_over(
            Ward(leader=child.pid, stop_signal=child.component.stop_signal) for child in self._running.values()
        )


def _state(component: Component) -> str:
    if component.one_shot:
        return "done"
    return f"ready on {component.address}" if component.address else "started"


async def _finished(blocking: Callable[[], None]) -> None:
    """Run a blocking call off the event loop, and when cancelled wait for its end: it must not outlive us."""
    call = asyncio.ensure_future(asyncio.to_thread(blocking))
    try:
        await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait({call})
        raise
