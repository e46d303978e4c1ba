"""Announcements in memory."""

from uuid import uuid4

from domain.ports.announcements import Announcements
from domain.webhook import EventKind, Occurrence
from fakes.progress import standing_in
from fakes.registry import InMemoryRegistry, StoredDelivery, Tables


class InMemoryAnnouncements(Announcements):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables

    async def registered(self, pgm_id: str, revision: int) -> None:
        self._announce(EventKind.REGISTERED, pgm_id, revision, status="indexing", run=f"r{revision}")

    async def deleted(self, pgm_id: str) -> None:
        revision = self._tables.programs[pgm_id].latest_revision
        self._announce(EventKind.DELETED, pgm_id, revision, status="deleted", run="deleted")

    async def hold(self, pgm_id: str) -> None:
        pass

    async def ended(self, pgm_id: str) -> None:
        standing = standing_in(self._tables, pgm_id)
        if standing is not None and standing.has_ended:
            kind = EventKind(standing.state.value)
            self._announce(kind, pgm_id, standing.revision, status=kind.value, run=standing.run)

    def _announce(self, kind: EventKind, pgm_id: str, revision: int, *, status: str, run: str) -> None:
        now, program = self._registry.clock(), self._tables.programs[pgm_id].program
        told = {
            (row.webhook_id, row.occurrence.pgm_id, row.occurrence.kind, row.run)
            for row in self._tables.deliveries.values()
        }
        for webhook_id, stored in self._tables.webhooks.items():
            webhook = stored.webhook
            if not webhook.is_enabled or kind not in webhook.kinds or (webhook_id, pgm_id, kind, run) in told:
                continue
            occurrence = Occurrence(
                kind=kind,
                pgm_id=pgm_id,
                pgm_name=program.details.pgm_name,
                revision=revision,
                status=status,
                occurred_at=now,
            )
            row = StoredDelivery(webhook_id=webhook_id, occurrence=occurrence, run=run, due=now)
            self._tables.deliveries[f"msg_{uuid4().hex}"] = row
