"""Backlog in memory, over what the in-memory unit of work committed."""

from collections import defaultdict
from collections.abc import Sequence

from domain.events import EventKind
from domain.ports.backlog import Backlog, DeliveryBacklog, KindBacklog
from fakes.registry import InMemoryRegistry, StoredEvent


class InMemoryBacklog(Backlog):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    async def by_kind(self) -> Sequence[KindBacklog]:
        rows = defaultdict(list)
        for row in self._registry.committed.events.values():
            if row.done is None:
                rows[EventKind.of(row.event) if row.event else "unknown"].append(row)
        return [self._of(kind, rows[kind]) for kind in sorted(rows)]

    async def deliveries(self) -> DeliveryBacklog:
        rows = self._registry.committed.deliveries.values()
        return DeliveryBacklog(
            pending=sum(row.is_on_its_way for row in rows), dead=sum(row.dead is not None for row in rows)
        )

    def _of(self, kind: str, rows: list[StoredEvent]) -> KindBacklog:
        now = self._registry.clock()
        pending = [row for row in rows if row.is_pending]
        later = [row for row in pending if row.due > now]
        leased = sum(row.lease_token is not None for row in later)
        return KindBacklog(
            kind=kind,
            due=len(pending) - len(later),
            leased=leased,
            delayed=len(later) - leased,
            dead=len(rows) - len(pending),
            oldest_age_s=max(((now - row.created).total_seconds() for row in pending), default=None),
        )
