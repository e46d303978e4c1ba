"""How many streams of events a process holds open at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import BusyError
from domain.told import told

_WAIT_S = 5.0


class StreamPlaces:
    """One for each process. Nobody queues."""

    def __init__(self, *, total: int) -> None:
        self._total = total
        self._taken = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A place for the length of the block. Raises BusyError where all are taken."""
        if self._taken >= self._total:
            raise BusyError(told("{count} streams are open already", count=self._total), wait_s=_WAIT_S)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
