"""Webhooks in memory keep the promises of the real ones."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.webhooks import WebhooksContract
from fakes.backlog import InMemoryBacklog
from fakes.deliveries import InMemoryDeliveries
from fakes.registry import InMemoryRegistry
from fakes.unit_of_work import InMemoryUnitOfWork
from fakes.webhook_repo import InMemoryWebhookRepo


@pytest.fixture
def registry() -> InMemoryRegistry:
    return InMemoryRegistry()


@pytest.fixture
def webhooks(registry: InMemoryRegistry) -> InMemoryWebhookRepo:
    return InMemoryWebhookRepo(registry)


@pytest.fixture
def deliveries(registry: InMemoryRegistry) -> InMemoryDeliveries:
    return InMemoryDeliveries(registry)


@pytest.fixture
def backlog(registry: InMemoryRegistry) -> InMemoryBacklog:
    return InMemoryBacklog(registry)


@pytest.fixture
def unit_of_work(registry: InMemoryRegistry) -> InMemoryUnitOfWork:
    return InMemoryUnitOfWork(registry)


@pytest.fixture
def time_passes(registry: InMemoryRegistry) -> Callable[[timedelta], Awaitable[None]]:
    return registry.clock.advance


@pytest.fixture
def write_as_newer(registry: InMemoryRegistry) -> Callable[[], Awaitable[None]]:
    async def write() -> None:
        rows = registry.committed.deliveries
        rows.update({key: replace(row, is_newer=True) for key, row in rows.items()})

    return write


class TestInMemoryWebhooks(WebhooksContract):
    pass
