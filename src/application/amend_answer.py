"""Amend the answer that repeats are given, where it says more than could be known at the commit."""

import logging
from dataclasses import dataclass

from domain.errors import UnavailableError
from domain.idempotency import IdempotencyKey
from domain.ports.unit_of_work import UnitOfWork

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendAnswer:
    """What was done is done: a repeat may as well be told how things stood at the commit."""

    unit_of_work: UnitOfWork

    async def __call__(self, key: IdempotencyKey, answer: bytes) -> None:
        """Give repeats this answer from now on, if the database takes it."""
        try:
            async with self.unit_of_work.begin() as transaction:
                await transaction.idempotency.amend(key, answer)
        except UnavailableError as error:
            _log.warning("repeats are answered as of the commit: %s", error)
