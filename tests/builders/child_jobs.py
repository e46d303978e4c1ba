"""What the tests of limited child processes run in them; children import it by name."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path


def doubled(number: int) -> int:
    return number * 2


def spin() -> None:
    while True:
        pass


def hoard() -> int:
    return len(bytearray(4 * 2**30))


def sleep_after_noting_pid(place: Path) -> None:
    place.write_text(str(os.getpid()))
    time.sleep(60)


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.kill(os.getpid(), signal.SIGABRT)


def stumble() -> None:
    raise KeyError("a bug")


def find_the_disk_full() -> None:
    raise OSError(28, "No space left on device")


def ppid() -> int:
    return os.getppid()


def doubled_each(numbers: Sequence[int], poison: int) -> Iterator[int]:
    for number in numbers:
        if number == poison:
            spin()
        yield number * 2


def hoard_over_time(numbers: Sequence[int]) -> Iterator[int]:
    """Each value is bearable, three of them in one child are not."""
    kept = []
    for number in numbers:
        kept.append(bytearray(100 * 2**20))
        yield number


def half_of_them(numbers: Sequence[int]) -> Iterator[int]:
    yield from numbers[::2]
