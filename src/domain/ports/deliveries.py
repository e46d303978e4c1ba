"""What is on its way to webhooks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from domain.webhook import Delivery


class Deliveries(Protocol):
    """Leased deliveries, at least once. All times are the database's; every method raises UnavailableError.

    What takes a delivery raises ConflictError where its lease has passed on.
    """

    async def waiting(self) -> Sequence[str]:
        """The webhooks, switched on, to which something is due, of the kinds that this version knows."""
        ...

    async def claim(self, webhook_id: str, limit: int, *, lease: timedelta) -> Sequence[Delivery]:
        """Take due deliveries of one webhook, oldest first, each under a fresh token; the attempt is counted.

        Those of a kind that only a newer version knows are left to its workers.
        """
        ...

    async def delivered(self, delivery: Delivery) -> None:
        """It has arrived."""
        ...

    async def postpone(self, delivery: Delivery, *, delay: timedelta, reason: str) -> None:
        """It is tried again after `delay`."""
        ...

    async def bury(self, delivery: Delivery, *, reason: str) -> None:
        """Nobody tries it any more."""
        ...

    async def switch_off(self, delivery: Delivery, *, reason: str) -> None:
        """Its receiver wants nothing more: the webhook is switched off, and all that is on its way to it is dead."""
        ...

    async def bury_unknown(self, *, due_before: timedelta) -> int:
        """Bury what is of a kind that this version does not know and nobody has taken for so long; how many."""
        ...

    async def revive(self, *, limit: int) -> int:
        """Give dead deliveries of webhooks that are switched on back as if never tried; how many."""
        ...

    async def forget(self, *, done_before: timedelta, dead_before: timedelta, limit: int) -> int:
        """Remove what was done, or recorded and died, longer ago than this, and what no webhook waits for; how many."""
        ...
