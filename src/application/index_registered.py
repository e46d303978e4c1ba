"""The synchronous mode: index what was just registered before the caller gets an answer."""

from dataclasses import dataclass

from application.handle_event import HandleEvent
from application.register_program import Registered


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRegistered:
    """A failure never undoes the registration: the event stays in the outbox, and a worker takes over."""

    handle_event: HandleEvent

    async def __call__(self, registered: Registered) -> None:
        """Handle the held events one after the other. Raises UnavailableError when an outcome cannot be recorded."""
        for held in registered.held:
            await self.handle_event(held)
