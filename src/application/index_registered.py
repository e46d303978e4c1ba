"""The synchronous mode: index what was just registered before the caller gets an answer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from application.handle_event import HandleEvent
from domain.errors import ConflictError, UnavailableError
from domain.events import LEASE, ClaimedEvent
from domain.ports.unit_of_work import UnitOfWork

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRegistered:
    """A failure never undoes the registration: the event stays in the outbox, and a worker takes over."""

    unit_of_work: UnitOfWork
    handle_event: HandleEvent

    async def __call__(self, held: Sequence[ClaimedEvent]) -> None:
        """Handle the held events one after the other. Raises UnavailableError when an outcome cannot be recorded."""
        waiting = list(held)
        async with self._held(waiting):
            while waiting:
                await self.handle_event(waiting.pop(0))

    @asynccontextmanager
    async def _held(self, waiting: list[ClaimedEvent]) -> AsyncIterator[None]:
        """Keep the claims that wait for their turn, and free at the end what had none: a worker takes it at once."""
        keeper = asyncio.create_task(self._keep(waiting))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await asyncio.shield(self._free(waiting))

    async def _keep(self, waiting: list[ClaimedEvent]) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            for claim in list(waiting):
                try:
                    async with self.unit_of_work.begin() as transaction:
                        await transaction.outbox.extend(claim, lease=LEASE)
                except (ConflictError, UnavailableError) as error:
                    _log.warning("the claim of event %d may be lost: %s", claim.event_id, error)

    async def _free(self, waiting: list[ClaimedEvent]) -> None:
        for claim in waiting:
            with suppress(ConflictError, UnavailableError):  # then the claim runs out by itself
                async with self.unit_of_work.begin() as transaction:
                    await transaction.outbox.release(claim, delay=timedelta(0))
