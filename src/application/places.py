"""How many uploads are worked on at once, how many streams are open, and how many of them for one caller."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import BusyError, RateLimitedError
from domain.told import Told, told

_WAIT_S = 5.0  # nobody knows when an upload is done: most are within it


class Places(ABC):
    """One for each process. Nobody queues: who finds no place is told so, and comes again."""

    def __init__(self, *, total: int, per_caller: int) -> None:
        self._total = total
        self._per_caller = per_caller
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken_by(self, caller: str) -> Iterator[None]:
        """A place for the length of the block; a blank caller is nobody in particular, and has no share.

        Raises RateLimitedError where the caller has its share already, BusyError where all places are taken.
        """
        if caller and self._taken[caller] >= self._per_caller:
            raise RateLimitedError(self._of_caller(self._per_caller), wait_s=_WAIT_S)
        if self._taken.total() >= self._total:
            raise BusyError(self._of_all(self._total), wait_s=_WAIT_S)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

    @abstractmethod
    def _of_caller(self, most: int) -> Told: ...

    @abstractmethod
    def _of_all(self, count: int) -> Told: ...


class UploadPlaces(Places):
    """Uploads, dry runs too."""

    def _of_caller(self, most: int) -> Told:
        return told("more than {most} uploads at once", most=most)

    def _of_all(self, count: int) -> Told:
        return told("{count} uploads are worked on already", count=count)


class StreamPlaces(Places):
    """Streams of events."""

    def _of_caller(self, most: int) -> Told:
        return told("more than {most} streams at once", most=most)

    def _of_all(self, count: int) -> Told:
        return told("{count} streams are open already", count=count)
