"""Forks programs of the product in milliseconds: a process that has imported everything once, and its other side.

A thousand crashes would else spend their time with importing. Run as `python -m faults.nursery`: a JSON line in,
a JSON line out. It ends when its standard input does, and its children end with it.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from real_processes import status_of

_PR_SET_PDEATHSIG = 1
_TESTS = Path(__file__).parents[1]
_SOURCES = _TESTS.parent / "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A forked API or worker; what it says is in `log`. `url` is where it serves, if it does.

    It is known by its number: process ids come again after some thousand crashes.
    """

    number: int
    process_id: int
    log: Path
    nursery: "Nursery"
    url: str = ""

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self.nursery.exit_code_of(self.number)

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def is_stopped(self) -> bool:
        """Whether SIGSTOP holds it."""
        return self.exit_code is None and status_of(self.process_id).get("State", "").startswith("T")

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that is gone gets none."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.kill(self.process_id, number)

    def kill(self) -> None:
        """kill -9."""
        self.send(signal.SIGKILL)

    async def ended(self, *, within_s: float) -> int:
        """Its exit code once it has ended."""
        give_up_at = time.monotonic() + within_s
        while (code := self.exit_code) is None:
            assert time.monotonic() < give_up_at, f"{self.process_id} has not ended within {within_s} s:\n{self.said}"
            await asyncio.sleep(0.01)
        return code

    async def stopped(self, *, within_s: float) -> None:
        """Wait until SIGSTOP holds it."""
        give_up_at = time.monotonic() + within_s
        while not self.is_stopped:
            assert time.monotonic() < give_up_at, f"{self.process_id} was not stopped within {within_s} s:\n{self.said}"
            await asyncio.sleep(0.01)


@dataclass(slots=True, kw_only=True)
class Nursery:
    """The side of the tests. Signals and exit codes of its children go through here."""

    process: subprocess.Popen[str]
    _started: int = 0
    _ended: dict[int, int] = field(default_factory=dict)

    def start(self, kind: str, environment: Mapping[str, str], log: Path, *, url: str = "") -> Program:
        """A `worker` or an `api` with this environment and no other."""
        self._started += 1
        asked = {"start": kind, "number": self._started, "environment": dict(environment), "log": str(log)}
        process_id = int(self._ask(asked)["process_id"])
        return Program(number=self._started, process_id=process_id, log=log, nursery=self, url=url)

    def exit_code_of(self, number: int) -> int | None:
        """None while it runs."""
        if number not in self._ended:
            code = self._ask({"poll": number})["code"]
            if code is None:
                return None
            self._ended[number] = int(code)
        return self._ended[number]

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return cast("dict[str, Any]", json.loads(self.process.stdout.readline()))


@contextmanager
def a_nursery() -> Iterator[Nursery]:
    """A nursery, which is gone with all its children after the block."""
    path = os.pathsep.join([str(_SOURCES), str(_TESTS)])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "faults.nursery"],
        env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Nursery(process=process)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def main() -> None:
    """Fork on request until standard input ends, then end what is left."""
    from faults import crashing_api, crashing_worker  # noqa: PLC0415 - the other side needs none of it

    mains = {"api": crashing_api.main, "worker": crashing_worker.main}
    gc.freeze()
    running: dict[int, int] = {}  # process id -> number
    codes: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if kind := question.get("start"):
            child = os.fork()
            if child == 0:
                _become(question["environment"], question["log"])
                _run(mains[kind])
            running[child] = question["number"]
            answer: dict[str, object] = {"process_id": child}
        else:
            _collect(running, codes)
            answer = {"code": codes.get(question["poll"])}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child in running:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _collect(running: dict[int, int], codes: dict[int, int]) -> None:
    for child in tuple(running):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            codes[running.pop(child)] = os.waitstatus_to_exitcode(status)


def _become(environment: Mapping[str, str], log: str) -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)


def _run(program: Callable[[], None]) -> None:
    code = 1
    try:
        program()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - told in the log, and the end of the process anyway
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
