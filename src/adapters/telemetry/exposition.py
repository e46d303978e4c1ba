"""What a scrape is answered: what this process counted, and how the record stands."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client import generate_latest

from adapters.telemetry.metrics import Metrics
from domain.drift import DriftKind
from domain.errors import LadderbaseError
from domain.events import EventKind
from domain.ports.audit_log import AuditLog, AuditRecord
from domain.ports.backlog import Backlog, KindBacklog

MEDIA_TYPE = "text/plain; version=0.0.4"
"""Its charset is UTF-8, which whoever answers says besides."""
READ_EVERY_S = 5.0
"""However often is scraped, and by however many, each process asks the record so often at most."""
LONGEST_READ_S = 2.0
_OTHER = "other"
_log = logging.getLogger(__name__)


class Exposition:
    """One for each process. A record that is away costs a scrape two seconds at most, and its own figures.

    Figures that could not be read are left out: old ones would be taken for true.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        backlog: Backlog,
        audit_log: AuditLog,
        monotonic: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(tz=UTC),
    ) -> None:
        self._metrics = metrics
        self._backlog = backlog
        self._audit_log = audit_log
        self._monotonic = monotonic
        self._now = now
        self._reading = asyncio.Lock()
        self._read_again_at = 0.0

    async def __call__(self) -> bytes:
        """All metrics, as MEDIA_TYPE. Written in a thread: nobody else waits for it."""
        async with self._reading:  # whoever comes meanwhile is told the same
            if self._monotonic() >= self._read_again_at:
                await self._read()
                self._read_again_at = self._monotonic() + READ_EVERY_S
            return await asyncio.to_thread(generate_latest, self._metrics.registry)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(LONGEST_READ_S):
                backlog, deliveries = await self._backlog.by_kind(), await self._backlog.deliveries()
                audit = await self._audit_log.last()
        except (LadderbaseError, TimeoutError) as error:
            _log.warning("the metrics go without the record: %s", str(error) or type(error).__name__)
            self._forget()
            self._metrics.record_up.set(0)
            return
        self._forget()
        self._metrics.record_up.set(1)
        self._set_backlog({kind.value: None for kind in EventKind} | {each.kind: each for each in backlog})
        for state in ("pending", "dead"):
            self._metrics.webhook_deliveries.labels(state).set(getattr(deliveries, state))
        if audit:
            self._set_audit(audit)

    def _forget(self) -> None:
        metrics = self._metrics
        of_outbox = metrics.outbox_events, metrics.outbox_oldest_seconds
        for gauge in (*of_outbox, metrics.webhook_deliveries, metrics.drift, metrics.audit_age_seconds):
            gauge.clear()

    def _set_backlog(self, backlog: dict[str, KindBacklog | None]) -> None:
        """Every kind that is known here, those without events too: a sum of nothing would be no figure at all."""
        for name, found in backlog.items():
            kind = name if name in set(EventKind) else _OTHER
            for state in ("due", "leased", "delayed", "dead"):
                self._metrics.outbox_events.labels(kind, state).inc(getattr(found, state) if found else 0)
            age_s = found.oldest_age_s if found else None
            self._metrics.outbox_oldest_seconds.labels(kind).set(age_s or 0)  # of several others, the last one's

    def _set_audit(self, audit: AuditRecord) -> None:
        for kind in DriftKind:
            self._metrics.drift.labels(kind.value).set(audit.counts.get(kind, 0))
        self._metrics.audit_age_seconds.set((self._now() - audit.ended_at).total_seconds())
