"""The record of webhooks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from domain.webhook import EventKind, NewWebhook, Webhook


class WebhookRepo(Protocol):
    """Subscriptions by their id. Every method raises UnavailableError when the database cannot answer."""

    async def add(self, webhook: NewWebhook, *, at_most: int) -> Webhook:
        """Keep a subscription. Raises ConflictError when there are so many already."""
        ...

    async def all(self) -> Sequence[Webhook]:
        """Every subscription, the oldest first."""
        ...

    async def change(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        kinds: frozenset[EventKind] | None = None,
        is_enabled: bool | None = None,
    ) -> Webhook:
        """Change what is named. Switched off, what is on its way to it is dead. Raises NotFoundError."""
        ...

    async def rotate(self, webhook_id: str, secret: str, *, former_signs_for: timedelta) -> Webhook:
        """Sign with this secret, and for so long with the former one too. Raises NotFoundError."""
        ...

    async def remove(self, webhook_id: str) -> None:
        """Forget it, and what is on its way to it. Raises NotFoundError."""
        ...
