"""Deliveries in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain.errors import ConflictError
from domain.ports.deliveries import Deliveries
from domain.webhook import Delivery
from fakes.registry import InMemoryRegistry, StoredDelivery, Tables
from fakes.webhook_repo import bury_all, shown_of


class InMemoryDeliveries(Deliveries):
    def __init__(self, registry: InMemoryRegistry) -> None:
        self._registry = registry

    @property
    def _tables(self) -> Tables:
        return self._registry.committed

    async def waiting(self) -> Sequence[str]:
        return sorted({row.webhook_id for row in self._tables.deliveries.values() if self._is_due(row)})

    async def claim(self, webhook_id: str, limit: int, *, lease: timedelta) -> Sequence[Delivery]:
        due = [
            (row.due, row.occurrence.occurred_at, key)
            for key, row in self._tables.deliveries.items()
            if row.webhook_id == webhook_id and self._is_due(row)
        ]
        return [self._take(key, lease) for _, _, key in sorted(due)[:limit]]

    async def delivered(self, delivery: Delivery) -> None:
        self._change(delivery, done=self._registry.clock())

    async def postpone(self, delivery: Delivery, *, delay: timedelta, reason: str) -> None:
        self._change(delivery, due=self._registry.clock() + delay, last_error=reason)

    async def bury(self, delivery: Delivery, *, reason: str) -> None:
        self._change(delivery, dead=self._registry.clock(), last_error=reason)

    async def switch_off(self, delivery: Delivery, *, reason: str) -> None:
        await self.bury(delivery, reason=reason)
        webhook_id = delivery.webhook.webhook_id
        stored = self._tables.webhooks[webhook_id]
        off = replace(stored.webhook, is_enabled=False, reason=reason)
        self._tables.webhooks[webhook_id] = replace(stored, webhook=off)
        bury_all(self._registry, webhook_id, reason=reason)

    async def bury_unknown(self, *, due_before: timedelta) -> int:
        now = self._registry.clock()
        left = [
            key
            for key, row in self._tables.deliveries.items()
            if row.is_newer and row.is_on_its_way and not row.attempts and row.due < now - due_before
        ]
        for key in left:
            self._tables.deliveries[key] = replace(self._tables.deliveries[key], dead=now, last_error="unknown")
        return len(left)

    async def revive(self, *, limit: int) -> int:
        dead = [key for key, row in self._tables.deliveries.items() if row.dead and self._is_of_enabled(row)][:limit]
        for key in dead:
            row = self._tables.deliveries[key]
            self._tables.deliveries[key] = replace(row, dead=None, attempts=0, due=self._registry.clock())
        return len(dead)

    async def forget(self, *, done_before: timedelta, dead_before: timedelta, limit: int) -> int:
        now = self._registry.clock()
        old = [
            key
            for key, row in self._tables.deliveries.items()
            if (row.done and row.done < now - done_before)
            or (row.dead and row.dead < now - dead_before)
            or (row.is_on_its_way and row.webhook_id not in self._tables.webhooks)
        ][:limit]
        for key in old:
            del self._tables.deliveries[key]
        return len(old)

    def _is_due(self, row: StoredDelivery) -> bool:
        is_due = row.is_on_its_way and row.due <= self._registry.clock()
        return is_due and not row.is_newer and self._is_of_enabled(row)

    def _is_of_enabled(self, row: StoredDelivery) -> bool:
        stored = self._tables.webhooks.get(row.webhook_id)
        return stored is not None and stored.webhook.is_enabled

    def _take(self, key: str, lease: timedelta) -> Delivery:
        row = self._tables.deliveries[key]
        token, now = str(uuid4()), self._registry.clock()
        self._tables.deliveries[key] = replace(row, lease_token=token, due=now + lease, attempts=row.attempts + 1)
        return Delivery(
            delivery_id=key,
            lease_token=token,
            attempts=row.attempts + 1,
            webhook=shown_of(self._registry, self._tables.webhooks[row.webhook_id]),
            occurrence=row.occurrence,
        )

    def _change(self, delivery: Delivery, **changes: Any) -> None:
        row = self._tables.deliveries.get(delivery.delivery_id)
        if row is None or row.lease_token != delivery.lease_token or not row.is_on_its_way:
            raise ConflictError(f"the lease of delivery {delivery.delivery_id} has ended")
        self._tables.deliveries[delivery.delivery_id] = replace(row, lease_token=None, **changes)
