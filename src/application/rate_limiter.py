"""Who has asked how often of late, and who has to wait."""

from collections import OrderedDict
from collections.abc import Callable

from domain.errors import RateLimitedError
from domain.rate import Rate
from domain.told import told


class RateLimiter:
    """One for each process and kind of request. Remembers at most `capacity` names, those that asked last."""

    def __init__(self, rate: Rate, *, monotonic: Callable[[], float], capacity: int = 10_000) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._capacity = capacity
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> None:
        """Take one token of this name. Raises RateLimitedError where there is none, and takes none then."""
        if not self._rate.per_minute:
            return
        now_s = self._monotonic()
        full_at_s = self._full_at_s.get(name, now_s)
        if wait_s := self._rate.wait_s(full_at_s, now_s):
            raise RateLimitedError(
                told("more than {most:,} requests in a minute", most=self._rate.per_minute), wait_s=wait_s
            )
        self._full_at_s[name] = self._rate.after_one(full_at_s, now_s)
        self._full_at_s.move_to_end(name)
        if len(self._full_at_s) > self._capacity:
            self._full_at_s.popitem(last=False)
