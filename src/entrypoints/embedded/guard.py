"""The last line of defence: a process that ends everything when the supervisor is gone, however it went.

Linux tells the programs themselves (see launch.py), but not those that they started, and no other system
tells anybody. Run by path under `python -I -S`, so the standard library is all there is.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

_GRACE_S = 8.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A process group under guard, by its leader, and the signal that asks the leader to end."""

    leader: int
    stop_signal: int


class Guard:
    """The supervisor's side: tells the guard process whom to end when we are gone.

    `held` are open files (a lock) that stay open in the guard process until everything has ended.
    """

    def __init__(self, held: Sequence[int] = ()) -> None:
        self._held = held
        self._process = self._started()

    @property
    def pid(self) -> int:
        """The id of the guard process."""
        return self._process.pid

    def watch_over(self, wards: Iterable[Ward]) -> None:
        """Replace whom it guards. A guard that was killed is replaced itself."""
        line = " ".join(f"{ward.leader}:{ward.stop_signal}" for ward in wards).encode() + b"\n"
        try:
            self._write(line)
        except BrokenPipeError:
            self.dismiss()
            self._process = self._started()
            self._write(line)

    def dismiss(self) -> None:
        """End the guard process; it ends whatever it still guards."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=_GRACE_S + 2)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # the terminal may be gone by the time it speaks
            bufsize=0,
            pass_fds=tuple(self._held),
            start_new_session=True,
        )

    def _write(self, line: bytes) -> None:
        if self._process.stdin:
            self._process.stdin.write(line)


def main() -> None:
    """Remember the last line read; when there will be no more, end whom it names."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    wards: list[Ward] = []
    for line in sys.stdin:
        pairs = (word.split(":") for word in line.split())
        wards = [Ward(leader=int(leader), stop_signal=int(number)) for leader, number in pairs]
    _end(wards)


def _end(wards: Sequence[Ward]) -> None:
    for ward in wards:
        with suppress(ProcessLookupError):
            os.kill(ward.leader, ward.stop_signal)
    give_up_at = time.monotonic() + _GRACE_S
    waiting = list(wards)
    while waiting:
        patient = time.monotonic() < give_up_at
        staying = [ward for ward in waiting if patient and _leads_still(ward)]
        for ward in set(waiting).difference(staying):
            with suppress(ProcessLookupError, PermissionError):  # nobody is left (macOS: only zombies are)
                os.killpg(ward.leader, signal.SIGKILL)
        waiting = staying
        time.sleep(_POLL_S)


def _leads_still(ward: Ward) -> bool:
    try:
        os.kill(ward.leader, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
