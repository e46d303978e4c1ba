"""Webhooks on a real Postgres: what the ports promise, and ends that two workers meet at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.backlog import PostgresBacklog
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.engine import create_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.webhook_repo import PostgresWebhookRepo
from contracts.outbox import TimePasses
from contracts.records import a_document, register
from contracts.webhooks import CSV_INVALID, WebhooksContract, add, announced, claim
from domain.document import Document
from domain.errors import ConflictError


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_wait_s=30)
    yield engine
    await engine.dispose()


@pytest.fixture
def webhooks(engine: AsyncEngine) -> PostgresWebhookRepo:
    return PostgresWebhookRepo(engine)


@pytest.fixture
def deliveries(engine: AsyncEngine) -> PostgresDeliveries:
    return PostgresDeliveries(engine)


@pytest.fixture
def backlog(engine: AsyncEngine) -> PostgresBacklog:
    return PostgresBacklog(engine)


@pytest.fixture
def unit_of_work(engine: AsyncEngine) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(engine)


@pytest.fixture
def time_passes(engine: AsyncEngine) -> TimePasses:
    """The server's clock cannot be moved; its record of the past can."""

    async def pass_by(by: timedelta) -> None:
        moments = {
            "webhooks": ("created_at", "former_until", "disabled_at"),
            "webhook_deliveries": ("created_at", "next_attempt_at", "done_at", "dead_at"),
        }
        async with engine.begin() as connection:
            for table, columns in moments.items():
                earlier = ", ".join(f"{column} = {column} - CAST(:by AS interval)" for column in columns)
                await connection.execute(text(f"UPDATE {table} SET {earlier}"), {"by": by})  # noqa: S608 - our names

    return pass_by


@pytest.fixture
def write_as_newer(engine: AsyncEngine) -> Callable[[], Awaitable[None]]:
    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE webhook_deliveries SET kind = 'of a later version'"))

    return write


class TestPostgresWebhooks(WebhooksContract):
    pass


async def test_of_two_workers_that_fail_the_last_documents_at_once_one_tells_the_end(
    webhooks: PostgresWebhookRepo, deliveries: PostgresDeliveries, unit_of_work: PostgresUnitOfWork
) -> None:
    await add(webhooks)
    documents = [a_document(0), a_document(1)]
    await register(unit_of_work, *documents)
    holding = asyncio.Barrier(2)

    async def fail(document: Document, *, comes_first: bool) -> None:
        async with unit_of_work.begin() as transaction:
            if not comes_first:
                await holding.wait()
            await transaction.announcements.hold("PGM_1")
            await transaction.documents.mark_failed([(document.ref, CSV_INVALID)])
            await transaction.announcements.ended("PGM_1")
            if comes_first:
                await holding.wait()
                await asyncio.sleep(0.2)  # for the other to run into the lock

    await asyncio.gather(fail(documents[0], comes_first=True), fail(documents[1], comes_first=False))
    assert [each.occurrence.status for each in await claim(deliveries)] == ["failed"]


async def test_a_webhook_that_is_removed_meanwhile_makes_no_registration_fail(
    webhooks: PostgresWebhookRepo, deliveries: PostgresDeliveries, unit_of_work: PostgresUnitOfWork
) -> None:
    webhook = await add(webhooks)
    await register(unit_of_work)
    async with unit_of_work.begin() as transaction:
        await transaction.announcements.registered("PGM_1", 1)
        await webhooks.remove(webhook.webhook_id)
    assert await deliveries.waiting() == []
    assert await deliveries.forget(done_before=timedelta(1), dead_before=timedelta(1), limit=9) == 1


async def test_two_workers_never_take_the_same_delivery(
    webhooks: PostgresWebhookRepo, deliveries: PostgresDeliveries, unit_of_work: PostgresUnitOfWork
) -> None:
    await add(webhooks)
    for number in range(1, 9):
        await announced(unit_of_work, f"PGM_{number}")
    taken = await asyncio.gather(*(claim(deliveries, limit=4) for _ in range(4)))
    ids = [delivery.delivery_id for some in taken for delivery in some]
    assert len(ids) == len(set(ids)) <= 8


async def test_of_several_that_are_answered_at_once_that_nothing_more_is_wanted_none_is_in_another_s_way(
    webhooks: PostgresWebhookRepo, deliveries: PostgresDeliveries, unit_of_work: PostgresUnitOfWork
) -> None:
    """E5: each held its own delivery, and wanted those of the others."""
    await add(webhooks)
    for number in range(1, 17):
        await announced(unit_of_work, f"PGM_{number}")
    for _ in range(4):
        await webhooks.change("wh_000000000001", is_enabled=True)
        await deliveries.revive(limit=99)
        taken = await claim(deliveries, limit=4)
        ended = await asyncio.gather(
            *(deliveries.switch_off(each, reason="it answered 410") for each in taken), return_exceptions=True
        )
        assert {type(each) for each in ended} <= {type(None), ConflictError}
    assert await claim(deliveries) == []
