"""A queue in memory that can lose everything and be down."""

from domain.errors import UnavailableError
from domain.events import ClaimedEvent
from domain.ports.dispatcher import Dispatcher


class InMemoryDispatcher(Dispatcher):
    def __init__(self, *, capacity: int = 8) -> None:
        self.waiting: dict[str, ClaimedEvent] = {}
        self.is_down_after: int | None = None
        self._capacity = capacity
        self._dispatched = 0

    async def room(self) -> int:
        return max(1, self._capacity - len(self.waiting))

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        if self.is_down_after is not None and self._dispatched >= self.is_down_after:
            raise UnavailableError("queue", "it is down")
        self._dispatched += 1
        self.waiting.setdefault(f"{claimed.event_id}:{claimed.lease_token}", claimed)

    def lose_everything(self) -> None:
        self.waiting.clear()
