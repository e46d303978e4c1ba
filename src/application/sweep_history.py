"""Keep bounded what would pile up for ever: the history of failures."""

from dataclasses import dataclass

from domain.ports.unit_of_work import UnitOfWork

FAILURES_PER_PROGRAM = 1_000
ROWS_AT_ONCE = 5_000
# What is left after so many is left to the next sweep.
_BATCHES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepHistory:
    """In batches of a transaction each, by any number of workers."""

    unit_of_work: UnitOfWork

    async def __call__(self) -> int:
        """Sweep once; return how many rows were removed."""
        removed = 0
        for _ in range(_BATCHES):
            async with self.unit_of_work.begin() as transaction:
                batch = await transaction.failures.trim(keep=FAILURES_PER_PROGRAM, limit=ROWS_AT_ONCE)
            removed += batch
            if batch < ROWS_AT_ONCE:
                break
        return removed
