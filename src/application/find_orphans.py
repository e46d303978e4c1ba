"""Find the blobs that no document, program or upload owns."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.drift import IDS_SHOWN
from domain.ports.blob_store import BlobEntry, BlobStore
from domain.ports.ownership import Ownership
from domain.registration import PROGRAMS, prefix_of

GRACE = timedelta(days=1)
"""How old an orphan is at least: a restored backup, or a clock that is wrong, gives an operator so long to notice."""
_PREFIXES_PER_LOOK = 256


@dataclass(slots=True, kw_only=True)
class Orphans:
    """Blobs that stand together and have no owner. `prefix` is theirs alone; '' where they are not below one."""

    prefix: str
    newest: datetime
    keys: tuple[str, ...] = ()
    count: int = 0

    def add(self, entry: BlobEntry) -> None:
        """One more of them."""
        self.count += 1
        self.newest = max(self.newest, entry.modified)
        if len(self.keys) < IDS_SHOWN:
            self.keys = (*self.keys, entry.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOrphans:
    """An upload is recorded before its first blob, and a purge forgets a program after its last.

    So what stands and is owned by nobody, both at once, has no owner. What a purge took away between the two
    looks is looked for again.
    """

    blobs: BlobStore
    ownership: Ownership
    clock: Callable[[], datetime]

    async def __call__(self) -> AsyncIterator[Orphans]:
        """Yield what is older than GRACE, prefix by prefix. Raises UnavailableError."""
        some: dict[str, Orphans] = {}
        async for entry in self.blobs.list_below(PROGRAMS):
            prefix = prefix_of(entry.key)
            if prefix not in some and len(some) == _PREFIXES_PER_LOOK:
                async for orphans in self._unowned(some):
                    yield orphans
                some.clear()
            some.setdefault(prefix, Orphans(prefix=prefix, newest=entry.modified)).add(entry)
        async for orphans in self._unowned(some):
            yield orphans

    async def _unowned(self, some: dict[str, Orphans]) -> AsyncIterator[Orphans]:
        oldest = self.clock() - GRACE
        old = [prefix for prefix, blobs in some.items() if blobs.newest < oldest]
        for prefix in sorted(frozenset(old) - await self.ownership.owned_prefixes(old)):
            if await self._stand_still(some[prefix]) and prefix not in await self.ownership.owned_prefixes([prefix]):
                yield some[prefix]

    async def _stand_still(self, orphans: Orphans) -> bool:
        async for entry in self.blobs.list_below(orphans.prefix or PROGRAMS):
            if entry.key >= orphans.keys[0]:
                return entry.key == orphans.keys[0]
        return False
