"""Carry a request out once, however often it is sent: every repeat is given the answer of the first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.errors import ConflictError, UnavailableError
from domain.idempotency import KeptAnswer, KeyedRequest
from domain.ports.unit_of_work import UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOnce:
    """The transaction that does the work takes the key too: of many that run at once, one commits."""

    unit_of_work: UnitOfWork

    async def __call__(self, request: KeyedRequest, work: Callable[[], Awaitable[T]]) -> T | KeptAnswer:
        """The result of `work`, which keeps the answer to the request, or the answer that is kept already.

        Raises ReusedKeyError, and what `work` raises. UnavailableError leaves open whether it was done: a repeat tells.
        """
        if kept := await self._kept(request):
            return kept
        try:
            return await work()
        except (ConflictError, UnavailableError):
            # Another was faster, or the answer to our COMMIT was lost: the record knows.
            if kept := await self._kept(request):
                return kept
            raise

    async def _kept(self, request: KeyedRequest) -> KeptAnswer | None:
        async with self.unit_of_work.begin() as transaction:
            kept = await transaction.idempotency.find(request.key)
        if kept:
            kept.require_repeat(request)
        return kept
