"""A running program: started so that it ends with us, watched, and ended together with everything it started."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from entrypoints.embedded.component import Account, Component, StartError

_LAUNCHER = Path(__file__).with_name("launch.py")
_POLL_S = 0.05
_LOG_LIMIT_BYTES = 10 * 1024 * 1024
_TAIL_BYTES = 2_000
_TAIL_LINES = 8


class Child:
    """One process in a session of its own, its output in a log file.

    Start it from the main thread: on Linux it ends with the *thread* that started it.
    """

    def __init__(self, component: Component) -> None:
        self.component = component
        with opened_log(component.log) as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                launched(component.command, death_signal=component.stop_signal, account=component.account),
                env=dict(component.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self._process.poll()

    async def ended(self) -> int:
        """Wait for its end and answer the exit code."""
        while (code := self.exit_code) is None:  # noqa: ASYNC110 - an end is no event that asyncio knows of everywhere
            await asyncio.sleep(_POLL_S)
        return code

    async def until_ready(self) -> None:
        """Wait until it serves (a one-shot: until it has ended well).

        Raises:
            StartError: it ended, or the time was up.
        """
        waits_for = "it to answer"
        give_up_at = time.monotonic() + self.component.start_s
        while time.monotonic() < give_up_at:
            # The order matters: whoever answers on the port while our program is dead is a stranger.
            answer = await self.component.ready()
            if (code := self.exit_code) is not None:
                if code == 0 and self.component.one_shot:
                    return
                raise self._failure(f"ended with {described(code)}")
            if not answer and not self.component.one_shot:
                return
            waits_for = answer or waits_for
            await asyncio.sleep(_POLL_S)
        raise self._failure(f"was not ready within {self.component.start_s:.0f} s, waiting for {waits_for}")

    async def end(self) -> bool:
        """Ask it to end, and kill what is left of its process group. False where its grace was too short for it."""
        # The program alone: it knows best how to end what it started.
        self._process.send_signal(self.component.stop_signal)
        try:
            await asyncio.wait_for(self.ended(), self.component.grace_s)
        except TimeoutError:
            return False
        finally:
            self.kill()
        return True

    def kill(self) -> None:
        """End the whole process group at once and collect the process."""
        kill_group(self.pid)
        self._process.wait(timeout=10)

    def _failure(self, what: str) -> StartError:
        return StartError(f"{self.component.name} {what}{last_lines(self.component.log)}")


def launched(command: Sequence[str], *, death_signal: signal.Signals, account: Account | None) -> list[str]:
    """The command line that runs `command` so that it ends with us, under `account`."""
    as_account = []
    if account:
        as_account = ["--account", f"{account.user_id}:{account.group_id}"]
        as_account += [word for path in account.reach for word in ("--reach", str(path))]
    bound = ["--parent", str(os.getpid()), "--death-signal", str(int(death_signal)), *as_account]
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *bound, "--", *command]


def kill_group(group: int) -> None:
    """Kill every process of a group that is still there."""
    # macOS answers "not permitted" for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def described(exit_code: int) -> str:
    """An exit code as a person reads it."""
    return f"exit code {exit_code}" if exit_code >= 0 else f"signal {signal.Signals(-exit_code).name}"


def last_lines(log: Path) -> str:
    """The end of a log, ready to be appended to a message; empty where there is nothing."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    return "".join(f"\n  {line}" for line in [f"the end of {log}:", *lines]) if lines else ""


@contextmanager
def opened_log(log: Path) -> Iterator[IO[bytes]]:
    """A log to append to; one that has grown too long is set aside first, in place of the one before."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(f"{log.name}.old"))
    with log.open("ab") as stream:
        yield stream
