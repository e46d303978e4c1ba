import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from entrypoints.embedded.component import Component, StartError
from entrypoints.embedded.guard import Guard
from entrypoints.embedded.supervisor import RestartPolicy, Supervisor
from real_processes import lives

_HASTY = RestartPolicy(first_delay_s=0.01, longest_delay_s=0.02, limit=3)

# Writes down its start and its end. What its manners are is said on its command line.
_PROGRAM = """
import signal, subprocess, sys, time
name, diary, *manners = sys.argv[1:]
def note(what):
    with open(diary, "a") as file:
        file.write(f"{what} {name}\\n")
def leave(*_):
    note("end")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in manners else leave)
if "spawn" in manners:
    offspring = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(f"{diary}.{name}.offspring", "w") as file:
        file.write(str(offspring.pid))
print("a last word of", name, flush=True)
if "mute" not in manners:
    note("start")
if "brief" in manners:
    sys.exit(3)
if "fleeting" in manners:
    leave()
if "sickly" in manners:
    time.sleep(0.3)
    sys.exit(3)
time.sleep(60)
"""


class Troupe:
    """Small programs under supervision, and what they wrote down."""

    def __init__(self, folder: Path) -> None:
        self._diary = folder / "diary"
        self._folder = folder
        self.said: list[str] = []
        self.guard = Guard()
        self.supervisor = Supervisor(guard=self.guard, say=self.said.append, policy=_HASTY)

    def program(
        self, name: str, *manners: str, grace_s: float = 5.0, start_s: float = 10.0, one_shot: bool = False
    ) -> Component:
        starts_before = 0

        def prepare() -> None:
            nonlocal starts_before
            starts_before = self.diary().count(f"start {name}")

        async def ready() -> str:
            return "" if self.diary().count(f"start {name}") > starts_before else "its first note"

        return Component(
            name=name,
            command=[sys.executable, "-c", _PROGRAM, name, str(self._diary), *manners],
            log=self._folder / f"{name}.log",
            prepare=prepare,
            ready=ready,
            grace_s=grace_s,
            start_s=start_s,
            one_shot=one_shot,
        )

    def diary(self) -> list[str]:
        return self._diary.read_text().splitlines() if self._diary.exists() else []

    def offspring(self, name: str) -> int:
        return int(Path(f"{self._diary}.{name}.offspring").read_text())

    def process_id(self, name: str) -> int:
        return self.supervisor._running[name].pid


@pytest.fixture
async def troupe(tmp_path: Path) -> AsyncIterator[Troupe]:
    troupe = Troupe(tmp_path)
    yield troupe
    await troupe.supervisor.stop()
    troupe.guard.dismiss()


async def test_programs_start_in_order_and_end_in_reverse_order(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("first"), troupe.program("second")])
    await troupe.supervisor.stop()

    assert troupe.diary() == ["start first", "start second", "end second", "end first"]


async def test_a_program_that_is_killed_is_started_again(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("first"), troupe.program("second")])
    watching = asyncio.create_task(troupe.supervisor.watch())

    os.kill(troupe.process_id("first"), signal.SIGKILL)
    await _until(lambda: "first started" in troupe.said[2:])
    watching.cancel()

    assert troupe.said[2:] == ["first died (signal SIGKILL), restarting in 0.01 s", "first started"]
    await troupe.supervisor.stop()
    assert troupe.diary()[-2:] == ["end second", "end first"]


async def test_a_program_that_keeps_dying_is_given_up_with_its_last_words(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("frail", "sickly")])

    with pytest.raises(StartError, match=r"frail does not stay up \(exit code 3\)(?s:.*)a last word of frail"):
        await asyncio.wait_for(troupe.supervisor.watch(), 20)

    assert sum("restarting" in line for line in troupe.said) == _HASTY.limit


async def test_a_program_that_ends_at_once_fails_the_start(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("first")])

    with pytest.raises(StartError, match=r"second ended with exit code 3(?s:.*)a last word of second"):
        await troupe.supervisor.start([troupe.program("second", "brief", "mute")])

    await troupe.supervisor.stop()
    assert troupe.diary() == ["start first", "end first"]


async def test_a_program_that_is_never_ready_fails_the_start_and_is_ended(troupe: Troupe) -> None:
    with pytest.raises(StartError, match="slow was not ready within 1 s, waiting for its first note"):
        await troupe.supervisor.start([troupe.program("slow", "mute", "spawn", start_s=1.0)])

    await _until(lambda: not lives(troupe.offspring("slow")))


async def test_a_one_shot_has_ended_before_the_next_program_starts(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("once", "fleeting", one_shot=True), troupe.program("next")])

    assert troupe.said == ["once done", "next started"]
    assert troupe.diary() == ["start once", "end once", "start next"]


async def test_a_one_shot_that_fails_fails_the_start(troupe: Troupe) -> None:
    with pytest.raises(StartError, match="once ended with exit code 3"):
        await troupe.supervisor.start([troupe.program("once", "brief", one_shot=True)])


async def test_a_program_that_does_not_end_is_killed_after_its_grace_with_what_it_started(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("mule", "stubborn", "spawn", grace_s=0.3)])
    process_id = troupe.process_id("mule")

    await troupe.supervisor.stop()

    assert troupe.said == ["mule started", "mule did not end by itself and was killed"]
    await _until(lambda: not lives(process_id) and not lives(troupe.offspring("mule")))


async def test_a_second_request_to_stop_kills(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("mule", "stubborn", grace_s=60.0)])
    process_id = troupe.process_id("mule")
    stopping = asyncio.create_task(troupe.supervisor.stop())
    await asyncio.sleep(0.2)

    stopping.cancel()
    await asyncio.wait({stopping}, timeout=5)

    assert not lives(process_id)


async def test_what_a_killed_program_started_is_ended_before_its_restart(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("parent", "spawn")])
    orphan = troupe.offspring("parent")
    watching = asyncio.create_task(troupe.supervisor.watch())

    os.kill(troupe.process_id("parent"), signal.SIGKILL)
    await _until(lambda: not lives(orphan))
    watching.cancel()


async def test_a_guard_that_is_killed_is_replaced(troupe: Troupe) -> None:
    first_guard = troupe.guard.pid
    os.kill(first_guard, signal.SIGKILL)
    await asyncio.sleep(0.1)

    await troupe.supervisor.start([troupe.program("first")])

    assert troupe.guard.pid != first_guard
    assert lives(troupe.guard.pid)


async def test_a_guard_whose_supervisor_is_gone_ends_what_it_guards(troupe: Troupe) -> None:
    await troupe.supervisor.start([troupe.program("first", "spawn")])
    process_id = troupe.process_id("first")

    ending = asyncio.create_task(asyncio.to_thread(troupe.guard.dismiss))
    await troupe.supervisor._running["first"].ended()
    await ending

    assert "end first" in troupe.diary()
    await _until(lambda: not lives(process_id) and not lives(troupe.offspring("first")))
    troupe.guard = troupe.supervisor._guard = Guard()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)
