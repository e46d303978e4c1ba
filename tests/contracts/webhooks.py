"""What webhooks promise: the record of them, what is announced, and what is on its way, all over one record."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.outbox import TimePasses
from contracts.records import a_document, indexed, mark_indexed, register, rolled_back
from domain.document import Failure
from domain.errors import ConflictError, NotFoundError
from domain.ports.backlog import Backlog, DeliveryBacklog
from domain.ports.deliveries import Deliveries
from domain.ports.unit_of_work import UnitOfWork
from domain.ports.webhook_repo import WebhookRepo
from domain.webhook import Delivery, EventKind, NewWebhook, Webhook

A_MINUTE, AN_HOUR, A_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERY_KIND = frozenset(EventKind)
CSV_INVALID = Failure(code="csv_invalid", message="")


def a_new_webhook(number: int = 1, *, kinds: frozenset[EventKind] = EVERY_KIND) -> NewWebhook:
    return NewWebhook(
        webhook_id=f"wh_{number:012x}", url=f"https://{number}.example.com/hook", kinds=kinds, secret=f"whsec_{number}"
    )


class WebhooksContract:
    """Needs the fixtures `webhooks`, `deliveries`, `backlog`, `unit_of_work` and `time_passes`.

    `write_as_newer` makes all that is on its way of a kind that only a newer version knows.
    """

    async def test_webhooks_are_listed_as_they_were_added(self, webhooks: WebhookRepo, time_passes: TimePasses) -> None:
        first = await add(webhooks, 2)
        await time_passes(A_MINUTE)
        second = await add(webhooks, 1, kinds=frozenset({EventKind.FAILED}))
        listed = await webhooks.all()
        assert [each.webhook_id for each in listed] == [first.webhook_id, second.webhook_id]
        assert (second.url, second.kinds) == ("https://1.example.com/hook", frozenset({EventKind.FAILED}))
        assert (second.secrets, second.is_enabled, second.reason) == (("whsec_1",), True, "")

    async def test_there_are_so_many_webhooks_and_no_more(self, webhooks: WebhookRepo) -> None:
        await add(webhooks)
        with pytest.raises(ConflictError):
            await webhooks.add(a_new_webhook(2), at_most=1)

    async def test_the_former_secret_signs_too_for_a_while(
        self, webhooks: WebhookRepo, time_passes: TimePasses
    ) -> None:
        await add(webhooks)
        rotated = await webhooks.rotate("wh_000000000001", "whsec_new", former_signs_for=A_DAY)
        assert rotated.secrets == ("whsec_new", "whsec_1")
        await time_passes(A_DAY + A_MINUTE)
        (later,) = await webhooks.all()
        assert later.secrets == ("whsec_new",)

    async def test_what_is_named_is_changed_and_the_rest_stays(self, webhooks: WebhookRepo) -> None:
        await add(webhooks)
        moved = await webhooks.change("wh_000000000001", url="https://b.example.com", is_enabled=False)
        assert (moved.url, moved.kinds, moved.is_enabled) == ("https://b.example.com", EVERY_KIND, False)
        assert moved.reason
        on_again = await webhooks.change("wh_000000000001", kinds=frozenset({EventKind.INDEXED}), is_enabled=True)
        assert (on_again.url, on_again.kinds) == ("https://b.example.com", frozenset({EventKind.INDEXED}))
        assert (on_again.is_enabled, on_again.reason) == (True, "")

    async def test_an_unknown_webhook_is_not_found(self, webhooks: WebhookRepo) -> None:
        for asking in (
            webhooks.change("wh_9"),
            webhooks.rotate("wh_9", "x", former_signs_for=A_DAY),
            webhooks.remove("wh_9"),
        ):
            with pytest.raises(NotFoundError):
                await asking

    async def test_a_registration_is_told_to_whoever_wants_it(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks, 1)
        await add(webhooks, 2, kinds=frozenset({EventKind.DELETED}))
        await announced(unit_of_work)
        assert await deliveries.waiting() == ["wh_000000000001"]
        (delivery,) = await claim(deliveries)
        occurrence = delivery.occurrence
        assert (occurrence.kind, occurrence.pgm_id, occurrence.revision) == (EventKind.REGISTERED, "PGM_1", 1)
        assert (occurrence.pgm_name, occurrence.status) == ("도장 라인 #2", "indexing")
        assert delivery.webhook.secrets == ("whsec_1",)

    async def test_what_was_rolled_back_is_told_nobody(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks)
        await register(unit_of_work)
        async with rolled_back(unit_of_work) as transaction:
            await transaction.announcements.registered("PGM_1", 1)
        assert await deliveries.waiting() == []

    async def test_the_end_of_an_indexing_is_told_once_for_each_run(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks)
        documents = [a_document(0), a_document(1)]
        await register(unit_of_work, *documents)
        await mark_indexed(unit_of_work, indexed(documents[0]))
        await ended(unit_of_work)
        assert await claim(deliveries) == []
        await mark_indexed(unit_of_work, indexed(documents[1]))
        for _ in range(2):
            await ended(unit_of_work)
        assert [each.occurrence.kind for each in await claim(deliveries)] == [EventKind.INDEXED]
        async with unit_of_work.begin() as transaction:
            (again,) = await transaction.documents.restart([documents[1].ref])
        await ended(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.announcements.hold("PGM_1")
            await transaction.documents.mark_failed([(again, CSV_INVALID)])
            await transaction.announcements.ended("PGM_1")
        (told,) = await claim(deliveries)
        assert (told.occurrence.kind, told.occurrence.status) == (EventKind.FAILED, "failed")

    async def test_a_deletion_is_told_by_the_name_of_what_is_gone(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks)
        await register(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.programs.delete("PGM_1")
            await transaction.announcements.deleted("PGM_1")
        await ended(unit_of_work)  # of a program that is gone nothing ends any more
        (delivery,) = await claim(deliveries)
        assert (delivery.occurrence.kind, delivery.occurrence.status) == (EventKind.DELETED, "deleted")
        assert delivery.occurrence.pgm_name == "도장 라인 #2"

    async def test_a_claim_holds_until_its_lease_ends_and_keeps_the_id(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work)
        (first,) = await claim(deliveries)
        assert await claim(deliveries) == []
        await time_passes(2 * A_MINUTE)
        (second,) = await claim(deliveries)
        assert (second.delivery_id, second.attempts) == (first.delivery_id, 2)
        for taking in (
            deliveries.delivered(first),
            deliveries.postpone(first, delay=A_DAY, reason="x"),
            deliveries.bury(first, reason="x"),
            deliveries.switch_off(first, reason="x"),
        ):
            with pytest.raises(ConflictError):
                await taking
        await deliveries.delivered(second)
        await time_passes(A_DAY)
        assert await claim(deliveries) == []

    async def test_what_is_postponed_comes_again_and_what_is_dead_when_it_is_revived(
        self,
        webhooks: WebhookRepo,
        deliveries: Deliveries,
        backlog: Backlog,
        unit_of_work: UnitOfWork,
        time_passes: TimePasses,
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work)
        (delivery,) = await claim(deliveries)
        await deliveries.postpone(delivery, delay=AN_HOUR, reason="it answered 500")
        assert await claim(deliveries) == []
        await time_passes(AN_HOUR + A_MINUTE)
        (delivery,) = await claim(deliveries)
        assert await backlog.deliveries() == DeliveryBacklog(pending=1, dead=0)
        await deliveries.bury(delivery, reason="it answered 500")
        await time_passes(A_DAY)
        assert await claim(deliveries) == []
        assert await backlog.deliveries() == DeliveryBacklog(pending=0, dead=1)
        assert await deliveries.revive(limit=9) == 1
        (again,) = await claim(deliveries)
        assert (again.delivery_id, again.attempts) == (delivery.delivery_id, 1)

    async def test_a_webhook_that_is_switched_off_is_told_nothing_until_it_is_on_again(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work)
        await announced(unit_of_work, "PGM_2")
        (first, *_) = await claim(deliveries, limit=1)
        await deliveries.switch_off(first, reason="it answered 410")
        (shown,) = await webhooks.all()
        assert (shown.is_enabled, shown.reason) == (False, "it answered 410")
        await announced(unit_of_work, "PGM_3")
        assert (await deliveries.waiting(), await deliveries.revive(limit=9)) == ([], 0)
        await webhooks.change("wh_000000000001", is_enabled=True)
        assert await deliveries.revive(limit=9) == 2
        assert len(await claim(deliveries)) == 2

    async def test_a_webhook_that_is_removed_takes_what_is_on_its_way_along(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work)
        await webhooks.remove("wh_000000000001")
        await add(webhooks)
        assert await deliveries.waiting() == []

    async def test_a_kind_that_only_a_newer_version_knows_is_left_to_its_workers_for_a_while(
        self,
        webhooks: WebhookRepo,
        deliveries: Deliveries,
        unit_of_work: UnitOfWork,
        time_passes: TimePasses,
        write_as_newer: Callable[[], Awaitable[None]],
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work, "PGM_1")
        await write_as_newer()
        await announced(unit_of_work, "PGM_2")
        (known,) = await claim(deliveries)
        await deliveries.delivered(known)
        assert await deliveries.waiting() == []
        assert await deliveries.bury_unknown(due_before=A_DAY) == 0
        await time_passes(A_DAY + A_MINUTE)
        assert await deliveries.bury_unknown(due_before=A_DAY) == 1
        assert await deliveries.bury_unknown(due_before=A_DAY) == 0

    async def test_what_a_newer_worker_has_tried_is_not_buried(
        self,
        webhooks: WebhookRepo,
        deliveries: Deliveries,
        unit_of_work: UnitOfWork,
        time_passes: TimePasses,
        write_as_newer: Callable[[], Awaitable[None]],
    ) -> None:
        await add(webhooks)
        await announced(unit_of_work)
        (tried,) = await claim(deliveries)
        await deliveries.postpone(tried, delay=A_MINUTE, reason="it answered 500")
        await write_as_newer()
        await time_passes(2 * A_DAY)
        assert await deliveries.bury_unknown(due_before=A_DAY) == 0

    async def test_what_was_told_long_ago_is_forgotten(
        self, webhooks: WebhookRepo, deliveries: Deliveries, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await add(webhooks)
        for number in range(1, 4):
            await announced(unit_of_work, f"PGM_{number}")
        done, dead, _ = await claim(deliveries)
        await deliveries.delivered(done)
        await deliveries.bury(dead, reason="x")
        await time_passes(2 * A_DAY)
        assert await deliveries.forget(done_before=3 * A_DAY, dead_before=3 * A_DAY, limit=9) == 0
        assert await deliveries.forget(done_before=A_DAY, dead_before=3 * A_DAY, limit=9) == 1
        assert await deliveries.forget(done_before=A_DAY, dead_before=A_DAY, limit=9) == 1


async def add(webhooks: WebhookRepo, number: int = 1, *, kinds: frozenset[EventKind] = EVERY_KIND) -> Webhook:
    return await webhooks.add(a_new_webhook(number, kinds=kinds), at_most=9)


async def announced(unit_of_work: UnitOfWork, pgm_id: str = "PGM_1") -> None:
    await register(unit_of_work, pgm_id=pgm_id)
    async with unit_of_work.begin() as transaction:
        await transaction.announcements.registered(pgm_id, 1)


async def ended(unit_of_work: UnitOfWork, pgm_id: str = "PGM_1") -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.announcements.ended(pgm_id)


async def claim(deliveries: Deliveries, *, limit: int = 9) -> list[Delivery]:
    return list(await deliveries.claim("wh_000000000001", limit, lease=A_MINUTE))
