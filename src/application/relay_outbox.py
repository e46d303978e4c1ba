"""Hand due events to the workers: relay and sweeper are the same query."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.unwatched import UNWATCHED
from domain.errors import ConflictError, UnavailableError
from domain.events import ClaimedEvent
from domain.ports.dispatcher import Dispatcher
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.work_watch import WorkWatch

CLAIMS_AT_ONCE = 50
WAIT_FOR_A_WORKER = timedelta(seconds=30)
_QUEUE_IS_DOWN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOutbox:
    """One pass. A claim commits before its event is dispatched: what the queue loses comes back with its lease."""

    unit_of_work: UnitOfWork
    dispatcher: Dispatcher
    watch: WorkWatch = UNWATCHED

    async def __call__(self) -> int:
        """Dispatch what is due and has room; return how many. Raises UnavailableError when the queue is down."""
        room = min(await self.dispatcher.room(), CLAIMS_AT_ONCE)
        if room <= 0:
            return 0
        async with self.unit_of_work.begin() as transaction:
            claimed = await transaction.outbox.claim(room, lease=WAIT_FOR_A_WORKER)
        self.watch.rescued(sum(event.is_rescued for event in claimed))
        for position, event in enumerate(claimed):
            try:
                await self.dispatcher.dispatch(event)
            except UnavailableError:
                await self._give_back(claimed[position:])
                raise
        return len(claimed)

    async def _give_back(self, claimed: list[ClaimedEvent]) -> None:
        for event in claimed:
            with suppress(ConflictError):  # its claim ran out meanwhile: it is free already
                async with self.unit_of_work.begin() as transaction:
                    await transaction.outbox.release(event, delay=_QUEUE_IS_DOWN, reason="the queue gave no answer")
