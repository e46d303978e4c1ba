"""What wakes workers up for claimed events."""

from typing import Protocol

from domain.events import ClaimedEvent


class Dispatcher(Protocol):
    """A queue that may lose everything at any moment: the outbox finds what it lost."""

    async def room(self) -> int:
        """How many more events it takes now without piling them up. Raises UnavailableError."""
        ...

    async def dispatch(self, claimed: ClaimedEvent) -> None:
        """Hand a claimed event to whichever worker is free. Raises UnavailableError; repeatable."""
        ...
