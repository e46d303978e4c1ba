"""AuditLog in memory."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.ports.audit_log import AuditLog, AuditRecord
from fakes.registry import ManualClock


class InMemoryAuditLog(AuditLog):
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._started_at: datetime | None = None
        self._is_recorded = False
        self._last: AuditRecord | None = None

    async def take_turn(self, *, every: timedelta, lease: timedelta) -> bool:
        pause = every if self._is_recorded else lease
        if self._started_at is not None and self._started_at > self._clock() - pause:
            return False
        self._started_at, self._is_recorded = self._clock(), False
        return True

    async def record(self, counts: Mapping[str, int]) -> None:
        self._is_recorded = True
        self._last = AuditRecord(ended_at=self._clock(), counts=dict(counts))

    async def last(self) -> AuditRecord | None:
        return self._last
