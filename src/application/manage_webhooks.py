"""Add a webhook, change it, and give it another secret: a secret is known here and to whoever is shown it once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.ports.webhook_repo import WebhookRepo
from domain.webhook import (
    FORMER_SECRET_SIGNS_FOR,
    ID_BYTES,
    MAX_WEBHOOKS,
    SECRET_BYTES,
    EventKind,
    Webhook,
    checked_kinds,
    checked_url,
    new_webhook,
    secret_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOnce:
    """A subscription and its secret."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddWebhook:
    """`randomness` gives so many bytes that nobody can guess."""

    webhooks: WebhookRepo
    randomness: Callable[[int], bytes]
    allow_private: bool = False

    async def __call__(self, url: str, kinds: frozenset[EventKind]) -> ShownOnce:
        """Raises InvalidRequestError, and ConflictError where there are MAX_WEBHOOKS already."""
        new = new_webhook(
            url, kinds, allow_private=self.allow_private, randomness=self.randomness(ID_BYTES + SECRET_BYTES)
        )
        return ShownOnce(webhook=await self.webhooks.add(new, at_most=MAX_WEBHOOKS), secret=new.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWebhook:
    """Where it is, what it is told of, and whether it is told anything."""

    webhooks: WebhookRepo
    allow_private: bool = False

    async def __call__(
        self, webhook_id: str, *, url: str | None, kinds: frozenset[EventKind] | None, is_enabled: bool | None
    ) -> Webhook:
        """Change what is named. Raises InvalidRequestError, NotFoundError."""
        return await self.webhooks.change(
            webhook_id,
            url=None if url is None else checked_url(url, allow_private=self.allow_private),
            kinds=None if kinds is None else checked_kinds(kinds),
            is_enabled=is_enabled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateWebhookSecret:
    """The former secret signs beside the new one for a day, so that a receiver may change over in peace."""

    webhooks: WebhookRepo
    randomness: Callable[[int], bytes]

    async def __call__(self, webhook_id: str) -> ShownOnce:
        """Raises NotFoundError."""
        secret = secret_of(self.randomness(SECRET_BYTES))
        rotated = await self.webhooks.rotate(webhook_id, secret, former_signs_for=FORMER_SECRET_SIGNS_FOR)
        return ShownOnce(webhook=rotated, secret=secret)
