"""Audit the stores regularly, whichever worker's turn it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from application.audit_stores import AuditStores
from domain.ports.audit_log import AuditLog

EVERY = timedelta(days=1)
LEASE = timedelta(hours=1)
"""An audit that took longer than this is begun by another worker too: it reads alone, and harms nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditByTurns:
    """The cheap audit: no blob is read, and nothing is repaired."""

    audit_stores: AuditStores
    log: AuditLog

    async def __call__(self) -> Mapping[str, int] | None:
        """How much of which kind of drift there is; None where it is nobody's turn, or another's.

        Raises UnavailableError, and ConflictError like the audit itself: then another worker goes on later.
        """
        if not await self.log.take_turn(every=EVERY, lease=LEASE):
            return None
        counts: Counter[str] = Counter()
        async for drift in self.audit_stores():
            counts[drift.kind] += 1
        await self.log.record(counts)
        return counts
