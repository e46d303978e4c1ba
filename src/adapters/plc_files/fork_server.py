"""The small process that forks one limited child per job; started by limited_process.LimitedProcess alone.

Why not multiprocessing's own: its children import the parent's __main__ again (the whole API or worker, for every
call), and its client cannot be awaited. This process stays single-threaded and imports what children need once, so
that a fork is all that a job costs. It is the children's parent: it alone may kill them without hitting a stranger
who got their number.

For each job the parent sends two sockets over the control socket: `work` (request and result frames, used by the
child) and `leash` (used by this process): the parent closes it to have the child killed, and reads the child's exit
status from it.
"""

import ctypes
import gc
import importlib
import os
import pickle
import resource
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, TypeVar

T = TypeVar("T")
FRAME_LENGTH = struct.Struct("<Q")
EXIT_STATUS = struct.Struct("<i")
VALUE, DONE, OUT_OF_MEMORY, LOCAL_FAULT, BUG = b"v", b"d", b"m", b"l", b"b"
_PR_SET_PDEATHSIG = 1
_CONTROL_BYTES = 4096
_CPU_GRACE_S = 1
_JOINED_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a child runs and what it may use: CPU seconds per value that it yields, bytes of address space."""

    function: Callable[..., Iterable[object]]
    arguments: tuple[object, ...]
    cpu_s: int
    memory_bytes: int


def once(function: Callable[..., T], *arguments: object) -> Iterator[T]:
    """Yield the function's one result, so that a plain function can be a job."""
    yield function(*arguments)


def main(control_fd: int, preload: list[str]) -> NoReturn:
    """Serve until the parent's end of the control socket closes."""
    for name in preload:
        importlib.import_module(name)
    gc.freeze()  # children share these pages until they write to them
    _ForkServer(socket.socket(fileno=control_fd)).serve()
    sys.exit()


class _ForkServer:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._leashes: dict[int, socket.socket] = {}
        self._wake_reader, self._wake_writer = socket.socketpair()

    def serve(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides when to end
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for sock in (self._wake_reader, self._wake_writer):
            sock.settimeout(0)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        while self._serve_events():
            self._reap()
        for pid in self._leashes:
            os.kill(pid, signal.SIGKILL)

    def _serve_events(self) -> bool:
        """Handle what is ready; False once the parent is gone."""
        for key, _ in self._selector.select():
            if key.fileobj is self._control:
                mark, sockets, _, _ = socket.recv_fds(self._control, 1, 2)
                if not mark:
                    return False
                work, leash = (socket.socket(fileno=number) for number in sockets)
                self._start(work, leash)
            elif key.fileobj is self._wake_reader:
                self._wake_reader.recv(_CONTROL_BYTES)
            elif key.data in self._leashes:
                os.kill(key.data, signal.SIGKILL)  # not reaped yet, so the number is still the child's
                self._selector.unregister(key.fileobj)
        return True

    def _start(self, work: socket.socket, leash: socket.socket) -> None:
        pid = os.fork()
        if not pid:
            self._become_child(work)
        work.close()
        self._leashes[pid] = leash
        self._selector.register(leash, selectors.EVENT_READ, data=pid)

    def _become_child(self, work: socket.socket) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for sock in (self._control, self._wake_reader, self._wake_writer, *self._leashes.values()):
                sock.close()
            _die_with_parent()
            _run_job(work)
        finally:
            os._exit(1)  # never back into the server's loop

    def _reap(self) -> None:
        for pid in list(self._leashes):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                leash = self._leashes.pop(pid)
                with suppress(KeyError):  # let go of already when it was killed
                    self._selector.unregister(leash)
                _tell(leash, os.waitstatus_to_exitcode(status))


def _tell(leash: socket.socket, exit_code: int) -> None:
    with leash:
        try:
            leash.send(EXIT_STATUS.pack(exit_code))
        except OSError:
            return  # whoever asked for the kill does not wait for the status


def _die_with_parent() -> None:
    if sys.platform == "linux":
        server = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != server:
            os._exit(1)


def _run_job(work: socket.socket) -> NoReturn:
    with work.makefile("rb") as reader:
        job: Job = pickle.loads(_read_frame(reader))  # noqa: S301 - the parent's own words over a private socket
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 1)
    os.dup2(silent, 2)  # a library's dying words belong to nobody's log: the exit status is reported
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    _allow_cpu(job.cpu_s)
    kind, content = _results(work, job)
    _send_frame(work, kind, content)
    os._exit(0)


def _results(work: socket.socket, job: Job) -> tuple[bytes, bytes]:
    try:
        for value in job.function(*job.arguments):
            _send_frame(work, VALUE, pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
            _allow_cpu(job.cpu_s)
    except MemoryError:
        return OUT_OF_MEMORY, b""
    except OSError as error:
        return LOCAL_FAULT, str(error).encode()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent raises it as a bug
        return BUG, traceback.format_exc().encode("utf-8", "backslashreplace")
    return DONE, b""


def _allow_cpu(seconds: int) -> None:
    """Allow so much CPU time from now on; SIGXCPU ends the child after it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + seconds + _CPU_GRACE_S
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _send_frame(work: socket.socket, kind: bytes, content: bytes) -> None:
    head = kind + FRAME_LENGTH.pack(len(content))
    if len(content) <= _JOINED_BYTES:
        work.sendall(head + content)  # the reader wakes once
        return
    work.sendall(head)
    work.sendall(content)  # not joined with the head: that would hold a large value twice


def _read_frame(reader: BinaryIO) -> bytes:
    length = FRAME_LENGTH.unpack(reader.read(FRAME_LENGTH.size))[0]
    return reader.read(length)
