"""How much is still to be done, by the kind of event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KindBacklog:
    """Events of one kind that are not done: `due` now, `leased` by somebody, `delayed` until later; `dead` besides.

    `oldest_age_s` is that of the oldest which is not dead, None where there is none.
    """

    kind: str
    due: int
    leased: int
    delayed: int
    dead: int
    oldest_age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryBacklog:
    """Deliveries to webhooks that are on their way, and those that nobody tries any more."""

    pending: int
    dead: int


class Backlog(Protocol):
    """Read often, and cheap: what is done is never looked at."""

    async def by_kind(self) -> Sequence[KindBacklog]:
        """Each kind of which there is anything, by name; ages by the database's clock. Raises UnavailableError.

        A kind may be one that only a later version knows.
        """
        ...

    async def deliveries(self) -> DeliveryBacklog:
        """Those to all webhooks together. Raises UnavailableError."""
        ...
