"""WebhookRepo in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.errors import ConflictError, NotFoundError
from domain.ports.webhook_repo import WebhookRepo
from domain.webhook import EventKind, NewWebhook, Webhook
from fakes.registry import InMemoryRegistry, StoredWebhook, Tables


class InMemoryWebhookRepo(WebhookRepo):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def add(self, webhook: NewWebhook, *, at_most: int) -> Webhook:
        if len(self._tables.webhooks) >= at_most:
            raise ConflictError(f"there are {at_most} webhooks already: remove one first")
        if webhook.webhook_id in self._tables.webhooks:
            raise ConflictError("the id of the webhook is taken")
        kept = Webhook(
            webhook_id=webhook.webhook_id,
            url=webhook.url,
            kinds=webhook.kinds,
            secrets=(webhook.secret,),
            created_at=self._registry.clock(),
        )
        self._tables.webhooks[webhook.webhook_id] = StoredWebhook(webhook=kept)
        return kept

    async def all(self) -> Sequence[Webhook]:
        shown = (shown_of(self._registry, stored) for stored in self._tables.webhooks.values())
        return sorted(shown, key=lambda webhook: (webhook.created_at, webhook.webhook_id))

    async def change(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        kinds: frozenset[EventKind] | None = None,
        is_enabled: bool | None = None,
    ) -> Webhook:
        stored = self._stored(webhook_id)
        webhook = stored.webhook
        webhook = replace(webhook, url=url or webhook.url, kinds=kinds or webhook.kinds)
        if is_enabled is not None:
            reason = "" if is_enabled else webhook.reason or "an operator switched it off"
            webhook = replace(webhook, is_enabled=is_enabled, reason=reason)
        if is_enabled is False:
            bury_all(self._registry, webhook_id, reason="an operator switched it off")
        self._tables.webhooks[webhook_id] = replace(stored, webhook=webhook)
        return shown_of(self._registry, self._tables.webhooks[webhook_id])

    async def rotate(self, webhook_id: str, secret: str, *, former_signs_for: timedelta) -> Webhook:
        webhook = self._stored(webhook_id).webhook
        rotated = StoredWebhook(
            webhook=replace(webhook, secrets=(secret, webhook.secrets[0])),
            former_until=self._registry.clock() + former_signs_for,
        )
        self._tables.webhooks[webhook_id] = rotated
        return shown_of(self._registry, rotated)

    async def remove(self, webhook_id: str) -> None:
        self._stored(webhook_id)
        del self._tables.webhooks[webhook_id]
        mine = [key for key, row in self._tables.deliveries.items() if row.webhook_id == webhook_id]
        for key in mine:
            del self._tables.deliveries[key]

    def _stored(self, webhook_id: str) -> StoredWebhook:
        if webhook_id not in self._tables.webhooks:
            raise NotFoundError("webhook", webhook_id)
        return self._tables.webhooks[webhook_id]


def shown_of(registry: InMemoryRegistry, stored: StoredWebhook) -> Webhook:
    """With the secrets that sign now."""
    signs_too = stored.former_until is not None and stored.former_until > registry.clock()
    secrets = stored.webhook.secrets if signs_too else stored.webhook.secrets[:1]
    return replace(stored.webhook, secrets=secrets)


def bury_all(registry: InMemoryRegistry, webhook_id: str, *, reason: str) -> None:
    """All that is on its way to a webhook is dead."""
    deliveries = registry.committed.deliveries
    for key, row in list(deliveries.items()):
        if row.webhook_id == webhook_id and row.is_on_its_way:
            deliveries[key] = replace(row, dead=registry.clock(), lease_token=None, last_error=reason)
