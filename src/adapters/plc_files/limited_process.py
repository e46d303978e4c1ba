"""Runs a function in a child process that may use so much CPU time, memory and time, and no more.

Costs about 5 ms a call: the child is forked from a small server process that has imported what it needs.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Self, TypeVar, TypeVarTuple

from adapters.plc_files import fork_server
from adapters.plc_files.fork_server import Job
from adapters.plc_files.limited_child import (
    READER,
    BrokenReaderError,
    LimitedChild,
    ProcessLimits,
    ResourceLimitError,
)
from domain.errors import UnavailableError

T = TypeVar("T")
Item = TypeVar("Item")
Ts = TypeVarTuple("Ts")

_START = (
    "import sys; sys.path[:] = sys.argv[2].split(sys.argv[4]);"
    "from adapters.plc_files.fork_server import main; main(int(sys.argv[1]), sys.argv[3].split())"
)
_STOP_TIMEOUT_S = 5


class LimitedProcess:
    """Runs module-level functions on picklable arguments, `slots` of them at once.

    Every method raises ResourceLimitError when the child exceeded a limit, UnavailableError when no child could be
    had or the local disk failed it, BrokenReaderError for a bug. Cancelling a call kills its child. Use `async with`,
    or `close` it, on the event loop that it was first used on.
    """

    def __init__(self, limits: ProcessLimits, *, slots: int = 2, preload: Sequence[str] = ()) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(slots)
        self._preload = tuple(preload)
        self._starting = asyncio.Lock()
        self._server: tuple[asyncio.subprocess.Process, socket.socket] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the server process, and with it every child."""
        if self._server is None:
            return
        (process, control), self._server = self._server, None
        control.close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def run(self, function: Callable[[*Ts], T], *arguments: *Ts, cpu_s: int | None = None) -> T:
        """The function's result; `cpu_s` allows it less CPU time than the limits do."""
        async with aclosing(self.stream(fork_server.once, function, *arguments, cpu_s=cpu_s)) as values:
            async for value in values:
                return value
        raise BrokenReaderError("the child ended without a result")

    async def stream(
        self, function: Callable[[*Ts], Iterable[T]], *arguments: *Ts, cpu_s: int | None = None
    ) -> AsyncGenerator[T, None]:
        """The values of a generator function, as they come. Close the iterator (`aclosing`) to kill the child."""
        job = Job(
            function=function,
            arguments=arguments,
            cpu_s=min(self._limits.cpu_s, cpu_s or self._limits.cpu_s),
            memory_bytes=self._limits.memory_bytes,
        )
        async with self._slots, self._child() as child, aclosing(child.values(job)) as values:
            async for value in values:
                yield value  # type: ignore[misc]  # what the function yields, after a trip through pickle

    async def each(
        self,
        function: Callable[[Sequence[Item], *Ts], Iterable[T]],
        items: Sequence[Item],
        *context: *Ts,
        most_failures: int | None = None,
    ) -> list[T | ResourceLimitError]:
        """One outcome per item, in order; `function` yields one value per item.

        Where a child dies, the item that it was at is tried once more in a child of its own, so that only the guilty
        one is blamed; the others go on. After `most_failures` guilty ones the rest is not tried.
        """
        outcomes: list[T | ResourceLimitError] = []
        failures, alone = 0, False
        while len(outcomes) < len(items):
            started_at = len(outcomes)
            batch = items[started_at : started_at + 1] if alone else items[started_at:]
            try:
                async with aclosing(self.stream(function, batch, *context)) as values:
                    async for value in values:
                        outcomes.append(value)  # noqa: PERF401 - what came before a death must stay
            except ResourceLimitError as error:
                alone = len(outcomes) > started_at
                if alone:
                    continue
                failures += 1
                outcomes.append(error)
                if failures == most_failures:
                    outcomes += [error] * (len(items) - len(outcomes))
            else:
                alone = False
                if len(outcomes) != started_at + len(batch):
                    raise BrokenReaderError(f"{function} yields other than one value per item")
        return outcomes

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[LimitedChild]:
        work, work_of_child = socket.socketpair()
        leash, leash_of_server = socket.socketpair()
        with work, leash, work_of_child, leash_of_server:
            await self._fork(work_of_child, leash_of_server)
            work_of_child.close()
            leash_of_server.close()
            child = LimitedChild(self._limits, work, leash)
            try:
                yield child
            finally:
                child.let_go()

    async def _fork(self, work: socket.socket, leash: socket.socket) -> None:
        for is_last_try in (False, True):  # a server that was killed is noticed by nobody until it is needed
            control = await self._control()
            try:
                socket.send_fds(control, [b"j"], [work.fileno(), leash.fileno()])
            except OSError as error:
                await self.close()
                if is_last_try:
                    raise UnavailableError(READER, "its process is gone") from error
            else:
                return

    async def _control(self) -> socket.socket:
        async with self._starting:
            if self._server and self._server[0].returncode is not None:
                await self.close()
            if self._server is None:
                self._server = await self._start_server()
            return self._server[1]

    async def _start_server(self) -> tuple[asyncio.subprocess.Process, socket.socket]:
        control, control_of_server = socket.socketpair()
        with control_of_server:
            fd = control_of_server.fileno()
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", "-c", _START),
                    *(str(fd), os.pathsep.join(sys.path), " ".join(self._preload), os.pathsep),
                    pass_fds=(fd,),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                )
            except OSError as error:
                control.close()
                raise UnavailableError(READER, "its process cannot be started") from error
        control.settimeout(0)  # a server that does not take its mail is as good as gone
        return process, control
