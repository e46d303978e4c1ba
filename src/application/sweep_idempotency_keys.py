"""Forget the idempotency keys whose time is over."""

from dataclasses import dataclass
from datetime import timedelta

from domain.ports.unit_of_work import UnitOfWork

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepIdempotencyKeys:
    """A transaction for each batch: an answer may have megabytes, and no statement may run long."""

    unit_of_work: UnitOfWork
    batch: int = 100

    async def __call__(self) -> int:
        """Sweep once; return how many keys were forgotten."""
        forgotten = 0
        while some := await self._forget_some():
            forgotten += some
        return forgotten

    async def _forget_some(self) -> int:
        async with self.unit_of_work.begin() as transaction:
            return await transaction.idempotency.forget(older_than=KEPT_FOR, at_most=self.batch)
