"""Keep bounded what would pile up for ever: the history of failures, and the events that are done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from domain.ports.unit_of_work import Transaction, UnitOfWork

FAILURES_PER_PROGRAM = 1_000
DONE_EVENTS_KEPT_FOR = timedelta(days=7)
ROWS_AT_ONCE = 5_000
# What is left after so many is left to the next sweep.
_BATCHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepHistory:
    """In batches of a transaction each, by any number of workers. Dead events stay: somebody must look at them."""

    unit_of_work: UnitOfWork

    async def __call__(self) -> int:
        """Sweep once; return how many rows were removed."""
        return await self._in_batches(_trim_failures) + await self._in_batches(_forget_done)

    async def _in_batches(self, remove: Callable[[Transaction], Awaitable[int]]) -> int:
        removed = 0
        for _ in range(_BATCHES):
            async with self.unit_of_work.begin() as transaction:
                batch = await remove(transaction)
            removed += batch
            if batch < ROWS_AT_ONCE:
                break
        return removed


async def _trim_failures(transaction: Transaction) -> int:
    return await transaction.failures.trim(keep=FAILURES_PER_PROGRAM, limit=ROWS_AT_ONCE)


async def _forget_done(transaction: Transaction) -> int:
    return await transaction.outbox.forget_done(older_than=DONE_EVENTS_KEPT_FOR, limit=ROWS_AT_ONCE)
