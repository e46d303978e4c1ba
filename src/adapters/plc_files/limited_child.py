"""The parent's side of one limited child: what it may use, what it answers, and why it died."""

import asyncio
import pickle
import signal
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from adapters.plc_files import fork_server
from adapters.plc_files.fork_server import EXIT_STATUS, FRAME_LENGTH, Job
from domain.errors import LadderbaseError, UnavailableError
from domain.told import told
from domain.upload import MEBIBYTE

READER = "file reader"
_STATUS_TIMEOUT_S = 5
_READ_AHEAD_BYTES = 65_536
_HEAD_BYTES = 1 + FRAME_LENGTH.size

Arrived = TypeVar("Arrived", bytes, int)


class Limit(StrEnum):
    """What a child ran out of."""

    CPU = "cpu"
    MEMORY = "memory"
    WALL = "wall"
    CRASH = "crash"


_SHOWN = {
    Limit.CPU: told("CPU time"),
    Limit.MEMORY: told("memory"),
    Limit.WALL: told("time"),
    Limit.CRASH: told("luck: the reader broke down over it"),
}


class ResourceLimitError(LadderbaseError):
    """The work needs more than the limits allow: it is refused, repeating it would end the same way."""

    def __init__(self, limit: Limit) -> None:
        self.message = told("reading it ran out of {limit}", limit=_SHOWN[limit])
        super().__init__(self.message)
        self.limit = limit


class BrokenReaderError(Exception):
    """A bug in the function that ran in the child; carries the child's traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """Seconds of CPU and of time for each value; seconds for the whole call; bytes of address space and of a value.

    The largest CSV that the upload limits allow (5 MB, 37,000 rungs) needs 1 s to parse, 5 s and 200 MB to become
    chunks; the rest is room for slower machines.
    """

    cpu_s: int = 20
    wall_s: float = 60
    call_s: float = 300
    memory_bytes: int = 512 * MEBIBYTE
    value_bytes: int = 128 * MEBIBYTE


class LimitedChild:
    """One child; `work` carries its request and its values, `leash` kills it and tells how it ended."""

    def __init__(self, limits: ProcessLimits, work: socket.socket, leash: socket.socket) -> None:
        self._limits = limits
        self._work = work
        self._leash = leash
        self._loop = asyncio.get_running_loop()
        self._ahead = bytearray()
        for sock in (work, leash):
            sock.settimeout(0)  # the event loop waits for them

    def let_go(self) -> None:
        """Close the leash: the server kills the child if it still runs."""
        self._work.close()
        self._leash.close()

    async def values(self, job: Job) -> AsyncGenerator[object, None]:
        """Yield what the job yields. Raises ResourceLimitError, UnavailableError, BrokenReaderError."""
        end = self._loop.time() + self._limits.call_s
        try:
            async with asyncio.timeout(self._limits.wall_s):
                await self._send(pickle.dumps(job, pickle.HIGHEST_PROTOCOL))
            while True:
                frame = self._kept_frame()
                if frame is None:
                    async with asyncio.timeout_at(min(end, self._loop.time() + self._limits.wall_s)):
                        frame = await self._receive_frame()
                kind, content = frame
                if kind == fork_server.DONE:
                    return
                yield _value(kind, content)
        except TimeoutError as error:
            raise ResourceLimitError(Limit.WALL) from error
        except ConnectionError as error:
            raise await self._cause_of_death() from error

    async def _send(self, request: bytes) -> None:
        await self._loop.sock_sendall(self._work, FRAME_LENGTH.pack(len(request)) + request)

    def _kept_frame(self) -> tuple[bytes, bytes] | None:
        """The next frame, where all of it came along with the one before: no time-out is set for it."""
        if len(self._ahead) < _HEAD_BYTES:
            return None
        end = _HEAD_BYTES + FRAME_LENGTH.unpack_from(self._ahead, 1)[0]
        if len(self._ahead) < end:
            return None
        kind, content = bytes(self._ahead[:1]), bytes(self._ahead[_HEAD_BYTES:end])
        del self._ahead[:end]
        return kind, content

    async def _receive_frame(self) -> tuple[bytes, bytes]:
        head = await self._receive(_HEAD_BYTES)
        length = FRAME_LENGTH.unpack_from(head, 1)[0]
        if length > self._limits.value_bytes:
            raise ResourceLimitError(Limit.MEMORY)
        return head[:1], await self._receive(length)

    async def _receive(self, length: int) -> bytes:
        """What comes along with a small value is kept for the next: each wait for a socket costs the event loop."""
        while len(self._ahead) < length <= _READ_AHEAD_BYTES:
            self._ahead += self._arrived(await self._loop.sock_recv(self._work, _READ_AHEAD_BYTES))
        received = bytearray(length)
        view, place = memoryview(received), min(length, len(self._ahead))
        view[:place] = self._ahead[:place]
        del self._ahead[:place]
        while place < length:
            place += self._arrived(await self._loop.sock_recv_into(self._work, view[place:]))
        return bytes(received)

    @staticmethod
    def _arrived(some: Arrived) -> Arrived:
        if not some:
            raise ConnectionResetError("the child is gone")
        return some

    async def _cause_of_death(self) -> LadderbaseError:
        try:
            async with asyncio.timeout(_STATUS_TIMEOUT_S):
                status = await self._loop.sock_recv(self._leash, EXIT_STATUS.size)
        except (TimeoutError, ConnectionError):
            status = b""
        if len(status) < EXIT_STATUS.size:
            return UnavailableError(READER, "its process ended")
        return ResourceLimitError(_LIMIT_BY_SIGNAL.get(-EXIT_STATUS.unpack(status)[0], Limit.CRASH))


# An allocation that fails aborts a Rust library; SIGKILL comes from the kernel when the machine is short of memory.
_LIMIT_BY_SIGNAL = {signal.SIGXCPU: Limit.CPU, signal.SIGABRT: Limit.MEMORY, signal.SIGKILL: Limit.MEMORY}


def _value(kind: bytes, content: bytes) -> object:
    if kind == fork_server.VALUE:
        return pickle.loads(content)  # noqa: S301 - our own child's words over a private socket
    if kind == fork_server.OUT_OF_MEMORY:
        raise ResourceLimitError(Limit.MEMORY)
    if kind == fork_server.LOCAL_FAULT:
        raise UnavailableError(READER, content.decode())
    raise BrokenReaderError(content.decode())
