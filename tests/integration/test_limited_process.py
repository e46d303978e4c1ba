"""Real child processes under real limits."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.plc_files.limited_child import BrokenReaderError, Limit, ProcessLimits, ResourceLimitError
from adapters.plc_files.limited_process import LimitedProcess
from builders import child_jobs
from domain.errors import UnavailableError
from domain.upload import MEBIBYTE

LIMITS = ProcessLimits(cpu_s=0, wall_s=30, call_s=60, memory_bytes=300 * MEBIBYTE, value_bytes=MEBIBYTE)


@pytest.fixture
async def process() -> AsyncIterator[LimitedProcess]:
    async with LimitedProcess(LIMITS, preload=("builders.child_jobs",)) as process:
        yield process


async def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.02)
    return False


def noted_in(place: Path) -> int | None:
    return int(place.read_text() or 0) or None if place.exists() else None


async def pid_in(place: Path) -> int:
    for _ in range(200):
        if pid := noted_in(place):
            return pid
        await asyncio.sleep(0.02)
    raise AssertionError("the child never began")


async def test_a_call_returns_the_functions_result(process: LimitedProcess) -> None:
    assert await process.run(child_jobs.doubled, 21) == 42


@pytest.mark.parametrize(
    ("job", "limit"),
    [
        (child_jobs.spin, Limit.CPU),
        (child_jobs.hoard, Limit.MEMORY),
        (child_jobs.abort, Limit.MEMORY),
        (child_jobs.crash, Limit.CRASH),
    ],
)
async def test_a_child_that_exceeds_a_limit_dies_alone(process: LimitedProcess, job: object, limit: Limit) -> None:
    with pytest.raises(ResourceLimitError) as caught:
        await process.run(job)  # type: ignore[arg-type]  # a list of functions of different types
    assert caught.value.limit is limit
    assert await process.run(child_jobs.doubled, 1) == 2


async def test_a_child_that_only_waits_runs_out_of_time(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    async with LimitedProcess(ProcessLimits(wall_s=0.5)) as process:
        with pytest.raises(ResourceLimitError) as caught:
            await process.run(child_jobs.sleep_after_noting_pid, place)
        assert caught.value.limit is Limit.WALL
        assert await gone(int(place.read_text()))


async def test_a_result_beyond_the_limit_is_not_taken_in(process: LimitedProcess) -> None:
    with pytest.raises(ResourceLimitError):
        await process.run(bytes, 2 * MEBIBYTE)


async def test_a_bug_in_the_child_is_raised_as_one(process: LimitedProcess) -> None:
    with pytest.raises(BrokenReaderError, match="KeyError: 'a bug'"):
        await process.run(child_jobs.stumble)


async def test_a_fault_of_the_local_disk_is_no_fault_of_the_file(process: LimitedProcess) -> None:
    with pytest.raises(UnavailableError, match="No space left"):
        await process.run(child_jobs.find_the_disk_full)


async def test_cancelling_a_call_kills_its_child(process: LimitedProcess, tmp_path: Path) -> None:
    call = asyncio.create_task(process.run(child_jobs.sleep_after_noting_pid, tmp_path / "pid"))
    pid = await pid_in(tmp_path / "pid")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await gone(pid)


async def test_no_more_children_run_at_once_than_there_are_slots(tmp_path: Path) -> None:
    async with LimitedProcess(LIMITS, slots=2) as process:
        calls = [
            asyncio.create_task(process.run(child_jobs.sleep_after_noting_pid, tmp_path / str(number)))
            for number in range(3)
        ]
        await asyncio.gather(pid_in(tmp_path / "0"), pid_in(tmp_path / "1"))
        await asyncio.sleep(0.2)
        assert not (tmp_path / "2").exists()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_only_the_guilty_item_of_a_batch_fails(process: LimitedProcess) -> None:
    outcomes = await process.each(child_jobs.doubled_each, list(range(6)), 3)
    assert isinstance(outcomes[3], ResourceLimitError)
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == [0, 2, 4, 8, 10]


async def test_items_that_only_together_need_too_much_are_all_read(process: LimitedProcess) -> None:
    assert await process.each(child_jobs.hoard_over_time, list(range(7))) == list(range(7))


@pytest.mark.timeout(60)  # fifty failures would take minutes
async def test_after_enough_failures_the_rest_is_not_tried(process: LimitedProcess) -> None:
    outcomes = await process.each(child_jobs.doubled_each, [3] * 50, 3, most_failures=1)
    assert len(outcomes) == 50
    assert all(isinstance(outcome, ResourceLimitError) for outcome in outcomes)


async def test_a_job_that_skips_items_is_a_bug(process: LimitedProcess) -> None:
    with pytest.raises(BrokenReaderError):
        await process.each(child_jobs.half_of_them, list(range(4)))


async def test_the_loop_stays_free_while_a_child_works(process: LimitedProcess) -> None:
    call = asyncio.create_task(process.run(child_jobs.spin))
    turns = 0
    while not call.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert isinstance(call.exception(), ResourceLimitError)
    assert turns > 10


async def test_a_server_that_was_killed_is_started_again(process: LimitedProcess) -> None:
    server = await process.run(child_jobs.ppid)
    os.kill(server, signal.SIGKILL)
    assert await gone(server)
    assert await process.run(child_jobs.doubled, 2) == 4


async def test_children_die_with_a_server_that_was_killed(process: LimitedProcess, tmp_path: Path) -> None:
    server = await process.run(child_jobs.ppid)
    call = asyncio.create_task(process.run(child_jobs.sleep_after_noting_pid, tmp_path / "pid"))
    pid = await pid_in(tmp_path / "pid")
    os.kill(server, signal.SIGKILL)
    with pytest.raises(UnavailableError):
        await call
    assert await gone(pid)


async def test_closing_ends_server_and_children(tmp_path: Path) -> None:
    process = LimitedProcess(LIMITS)
    call = asyncio.create_task(process.run(child_jobs.sleep_after_noting_pid, tmp_path / "pid"))
    pid = await pid_in(tmp_path / "pid")
    await process.close()
    with pytest.raises(UnavailableError):
        await call
    assert await gone(pid)


OWNER = """
import asyncio, sys
sys.path[:] = {path!r}
from pathlib import Path
from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_process import LimitedProcess
from builders import child_jobs

asyncio.run(LimitedProcess(ProcessLimits()).run(child_jobs.sleep_after_noting_pid, Path({place!r})))
"""


async def test_nothing_survives_an_owner_that_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    script = OWNER.format(path=sys.path, place=str(place))
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.DEVNULL)
    pid = await pid_in(place)
    owner.kill()
    await owner.wait()
    assert await gone(pid)
