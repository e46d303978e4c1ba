"""Forget what webhooks were told long ago, and give up what no worker knows how to tell."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from domain.ports.deliveries import Deliveries

DONE_KEPT_FOR = timedelta(days=7)
DEAD_KEPT_FOR = timedelta(days=30)
UNKNOWN_WAITS_FOR = timedelta(days=1)
"""As in the outbox: a deploy may begin with the API or with the workers."""

ROWS_AT_ONCE = 5_000
_BATCHES = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDeliveries:
    """In batches of a transaction each, by any number of workers."""

    deliveries: Deliveries

    async def __call__(self) -> int:
        """Sweep once; return how many were removed."""
        if buried := await self.deliveries.bury_unknown(due_before=UNKNOWN_WAITS_FOR):
            _log.error("%d deliveries to webhooks are given up: no worker knows what they are about", buried)
        removed = 0
        for _ in range(_BATCHES):
            batch = await self.deliveries.forget(
                done_before=DONE_KEPT_FOR, dead_before=DEAD_KEPT_FOR, limit=ROWS_AT_ONCE
            )
            removed += batch
            if batch < ROWS_AT_ONCE:
                break
        return removed
