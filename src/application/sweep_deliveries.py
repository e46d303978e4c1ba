"""Forget what webhooks were told long ago."""

from dataclasses import dataclass
from datetime import timedelta

from domain.ports.deliveries import Deliveries

DONE_KEPT_FOR = timedelta(days=7)
DEAD_KEPT_FOR = timedelta(days=30)
ROWS_AT_ONCE = 5_000
_BATCHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDeliveries:
    """In batches of a transaction each, by any number of workers."""

    deliveries: Deliveries

    async def __call__(self) -> int:
        """Sweep once; return how many were removed."""
        removed = 0
        for _ in range(_BATCHES):
            batch = await self.deliveries.forget(
                done_before=DONE_KEPT_FOR, dead_before=DEAD_KEPT_FOR, limit=ROWS_AT_ONCE
            )
            removed += batch
            if batch < ROWS_AT_ONCE:
                break
        return removed
