"""What this process knows of keys: what the record said a moment ago, and which ones were used since it was told."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from domain.api_key import ApiKey
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.key_repo import KeyRepo

REMEMBERED_S = 30.0
"""A key that is revoked opens nothing after so long, wherever it was used: well below the minute that is promised."""
USES_EVERY = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class KnownKeys:
    """One for each process. Remembers at most `capacity` answers of the record, that there is no key among them."""

    def __init__(self, keys: KeyRepo, *, monotonic: Callable[[], float], capacity: int = 1_024) -> None:
        self._keys = keys
        self._monotonic = monotonic
        self._capacity = capacity
        self._remembered: OrderedDict[str, tuple[float, ApiKey | None]] = OrderedDict()
        self._used: set[str] = set()

    async def find(self, prefix: str) -> ApiKey | None:
        """The key as it was less than REMEMBERED_S ago. Raises UnavailableError."""
        asked_at = self._monotonic()
        until, known = self._remembered.get(prefix, (asked_at, None))
        if asked_at < until:
            self._remembered.move_to_end(prefix)
            return known
        found = await self._keys.find(prefix)
        self._remembered[prefix] = (asked_at + REMEMBERED_S, found)  # from when it was asked: it may have changed since
        self._remembered.move_to_end(prefix)
        while len(self._remembered) > self._capacity:
            self._remembered.popitem(last=False)
        return found

    def has_met(self, prefix: str) -> bool:
        """Whether `find` asks nobody, or asks for a key that there was when it was asked last."""
        until, known = self._remembered.get(prefix, (0.0, None))
        return known is not None or self._monotonic() < until

    def note_use(self, prefix: str) -> None:
        """The key was used now. Costs nobody who asks anything; the record is told later."""
        if len(self._used) < self._capacity:
            self._used.add(prefix)

    async def tell_uses(self) -> None:
        """Tell the record which keys were used; what it does not take is told the next time."""
        told = frozenset(self._used)
        if not told:
            return
        try:
            await self._keys.note_uses(told, every=USES_EVERY)
        except (UnavailableError, MisconfiguredError) as error:
            _log.warning("when keys were used is recorded later: %s", error)
        else:
            self._used -= told
