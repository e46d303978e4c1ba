"""Telling webhooks: at least once, signed, and none waits for another."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest

from application.add_document import AddDocumentCommand
from application.deliver_webhooks import AT_ONCE, DELIVERY_LEASE, DeliverWebhooks
from application.manage_webhooks import AddWebhook, RotateWebhookSecret, ShownOnce
from application.retry_everywhere import ReviveDead
from builders.product import until
from builders.service import Service, a_service
from domain.errors import ConflictError, InvalidRequestError, UnavailableError
from domain.events import RetryPolicy
from domain.further.further_document import DocumentDetails
from domain.upload import SpooledFile
from domain.webhook import DELIVERY_RETRIES, MAX_WEBHOOKS, EventKind, Webhook, checked_url, may_be_told, signatures
from entrypoints.webhook_duty import WebhookDuty
from fakes.deliveries import InMemoryDeliveries
from fakes.webhook_sender import Received

EVERY_KIND = frozenset(EventKind)
AN_HOUR = timedelta(hours=1)


@pytest.fixture
async def service(tmp_path: Path) -> Service:
    return await a_service(tmp_path)


async def add(service: Service, host: str = "a.example.com", *kinds: EventKind) -> ShownOnce:
    add_webhook: AddWebhook = service.container.add_webhook()
    return await add_webhook(f"https://{host}/hook", frozenset(kinds) or EVERY_KIND)


async def deliver(service: Service, *, times: int = 1, step: timedelta = timedelta(0)) -> None:
    """Send what is due to every webhook, again and again while the clock moves on."""
    deliver_webhooks: DeliverWebhooks = service.container.deliver_webhooks()
    for _ in range(times):
        for webhook_id in await service.container.deliveries().waiting():
            while await deliver_webhooks(webhook_id):
                pass
        await service.registry.clock.advance(step)


async def listed(service: Service) -> Sequence[Webhook]:
    found: Sequence[Webhook] = await service.container.webhooks().all()
    return found


def kinds(received: Sequence[Received]) -> list[str]:
    return [json.loads(each.body)["kind"] for each in received]


def holds(received: Received, secret: str) -> bool:
    """As a receiver computes it, from the specification alone."""
    headers = received.headers
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), received.body])
    key = base64.b64decode(secret[len("whsec_") :])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


async def _has_received(service: Service, least: int) -> bool:
    return len(service.receiver.received) >= least


def test_a_signature_is_that_of_the_specification() -> None:
    """Its own example: https://github.com/standard-webhooks/standard-webhooks."""
    signed = signatures(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_program_is_told_of_from_its_registration_to_its_deletion(service: Service) -> None:
    shown = await add(service)
    await service.register()
    await service.work()
    await service.container.delete_program()("PGM_1")
    await deliver(service)
    received = service.receiver.received
    assert sorted(kinds(received)) == ["deleted", "indexed", "registered"]
    assert all(holds(each, shown.secret) for each in received)
    assert len({each.headers["webhook-id"] for each in received}) == 3
    body = json.loads(received[kinds(received).index("indexed")].body)
    assert body.keys() == {"kind", "pgm_id", "pgm_name", "revision", "status", "occurred_at"}
    assert (body["pgm_id"], body["pgm_name"], body["revision"], body["status"]) == ("PGM_1", "셀 라인", 1, "indexed")


async def test_a_revision_is_told_of_as_a_program_is(service: Service) -> None:
    await service.register()
    await service.work()
    await add(service)
    await service.replace({"0000_11": "0,,LD,X5,,,\n1,,OUT,M5,,,\n"})
    await service.work()
    await deliver(service)
    told = [(json.loads(each.body)["kind"], json.loads(each.body)["revision"]) for each in service.receiver.received]
    assert sorted(told) == [("indexed", 2), ("registered", 2)]


async def test_a_program_whose_last_document_fails_for_good_is_told_of(service: Service) -> None:
    async def fail(_: Sequence[str]) -> None:
        raise UnavailableError("embedder", "down")

    await add(service, "a.example.com", EventKind.INDEXED, EventKind.FAILED)
    service.embedder.before = fail
    service.container.handle_event.add_kwargs(retry=RetryPolicy(max_attempts=30))
    await service.register()
    await service.work_for(timedelta(hours=4), step=timedelta(minutes=1))
    await deliver(service)
    assert kinds(service.receiver.received) == ["failed"]


async def test_only_what_a_webhook_wants_is_told(service: Service) -> None:
    await add(service, "a.example.com", EventKind.INDEXED)
    await service.register()
    await service.work()
    await deliver(service)
    assert kinds(service.receiver.received) == ["indexed"]


async def test_what_a_receiver_that_was_down_missed_arrives_once_by_its_id(service: Service) -> None:
    await add(service)
    service.receiver.status = 0
    await service.register()
    await service.work()
    await deliver(service, times=5, step=timedelta(minutes=5))
    assert service.receiver.received == []
    service.receiver.status = 204
    await deliver(service, times=2, step=AN_HOUR)
    received = service.receiver.received
    assert sorted(kinds(received)) == ["indexed", "registered"]
    assert len({each.headers["webhook-id"] for each in received}) == len(received)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 500, 503])
async def test_any_other_status_is_tried_again_under_the_same_id(service: Service, status: int) -> None:
    await add(service, "a.example.com", EventKind.REGISTERED)
    service.receiver.status = status
    await service.register()
    await deliver(service)
    service.receiver.status = 200
    await deliver(service, times=2, step=timedelta(minutes=1))
    first, second = service.receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (timedelta(minutes=2), timedelta(minutes=2)),
        (timedelta(seconds=1), DELIVERY_RETRIES.first_delay * 0.7),  # no sooner than it would have been anyway
        (timedelta(days=400), DELIVERY_RETRIES.longest_delay),
    ],
)
async def test_a_receiver_says_when_it_may_be_told_again(service: Service, asked: timedelta, waits: timedelta) -> None:
    await add(service, "a.example.com", EventKind.REGISTERED)
    service.receiver.status, service.receiver.retry_after = 429, asked
    await service.register()
    await deliver(service)
    await service.registry.clock.advance(waits - timedelta(seconds=1))
    await deliver(service)
    assert len(service.receiver.received) == 1
    await service.registry.clock.advance(timedelta(seconds=3))
    await deliver(service)
    assert len(service.receiver.received) == 2


async def test_a_bug_that_one_receiver_meets_ends_no_worker_and_keeps_nobody_waiting(service: Service) -> None:
    await add(service, "odd.example.com", EventKind.REGISTERED)
    await add(service, "even.example.com", EventKind.REGISTERED)

    async def stumble(url: str) -> None:
        if "odd" in url:
            raise UnicodeError("label empty or too long")

    service.receiver.before = stumble
    await service.register()
    duty = WebhookDuty(
        deliveries=service.container.deliveries(), deliver=service.container.deliver_webhooks(), look_every_s=0.01
    )
    working = asyncio.create_task(duty())
    await until(partial(_has_received, service, 1), within_s=10)
    await asyncio.sleep(0.05)
    assert not working.done()
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    (left,) = (row for row in service.registry.committed.deliveries.values() if row.is_on_its_way)
    assert (left.attempts, left.last_error) == (1, "a bug here: UnicodeError")


async def test_what_was_signed_before_a_rotation_is_signed_anew_when_the_receiver_refuses_it(service: Service) -> None:
    shown = await add(service, "a.example.com", EventKind.REGISTERED)
    rotated: list[ShownOnce] = []

    async def rotate(_: str) -> None:
        if not rotated:
            rotated.append(await service.container.rotate_webhook_secret()(shown.webhook.webhook_id))

    service.receiver.before = rotate
    service.receiver.accepts = lambda received: holds(received, rotated[0].secret)
    await service.register()
    await deliver(service, times=2, step=timedelta(minutes=1))
    refused, taken = service.receiver.received
    assert (holds(refused, rotated[0].secret), holds(taken, rotated[0].secret)) == (False, True)
    assert refused.headers["webhook-id"] == taken.headers["webhook-id"]
    assert not await service.container.deliveries().waiting()


@pytest.mark.parametrize("is_removed", [True, False])
async def test_a_webhook_that_goes_while_it_is_told_is_told_nothing_more(service: Service, *, is_removed: bool) -> None:
    shown = await add(service)
    await service.register()
    await service.register()

    async def go(_: str) -> None:
        service.receiver.before = None
        if is_removed:
            await service.container.webhooks().remove(shown.webhook.webhook_id)
        else:
            await service.container.change_webhook()(shown.webhook.webhook_id, url=None, kinds=None, is_enabled=False)

    service.receiver.before = go
    await deliver(service, times=3, step=AN_HOUR)
    assert len(service.receiver.received) <= AT_ONCE  # what was under way just then
    left = service.registry.committed.deliveries.values()
    assert len(left) == (0 if is_removed else 2)
    assert all(row.dead and row.last_error for row in left)


async def test_a_document_that_takes_the_place_of_one_that_is_removed_is_told_of_too(
    service: Service, tmp_path: Path
) -> None:
    """The sum of the generations is as it was: only the documents tell the one run from the other."""
    await service.register()
    await service.work()
    await add(service, "a.example.com", EventKind.INDEXED)
    for number in (1, 2):
        path = tmp_path / "note.md"
        path.write_bytes(b"# Note\n\nGrease the spindle.")
        file = SpooledFile(name=f"{number}.md", path=path, size_bytes=path.stat().st_size)
        command = AddDocumentCommand(pgm_id="PGM_1", details=DocumentDetails(), file=file)
        added = await service.container.add_document()(command)
        await service.work()
        await deliver(service)
        assert len(service.receiver.received) == number
        await service.container.remove_document()("PGM_1", added.document.document_id)
        await service.work()


async def test_the_end_is_told_that_comes_by_removing_what_was_not_indexed(service: Service, tmp_path: Path) -> None:
    await service.register()
    await service.work()
    path = tmp_path / "note.md"
    path.write_bytes(b"# Note\n\nGrease the spindle.")
    file = SpooledFile(name="note.md", path=path, size_bytes=path.stat().st_size)
    command = AddDocumentCommand(pgm_id="PGM_1", details=DocumentDetails(), file=file)
    added = await service.container.add_document()(command)
    await add(service, "a.example.com", EventKind.INDEXED)
    await service.container.remove_document()("PGM_1", added.document.document_id)
    await deliver(service)
    assert kinds(service.receiver.received) == ["indexed"]


async def test_after_a_day_a_delivery_is_dead_until_somebody_revives_it(service: Service) -> None:
    await add(service, "a.example.com", EventKind.REGISTERED)
    service.receiver.status = 500
    await service.register()
    await deliver(service, times=60, step=AN_HOUR)
    assert len(service.receiver.received) == DELIVERY_RETRIES.max_attempts
    counts = (await service.operations.overview()).webhooks
    assert (counts.pending, counts.dead) == (0, 1)
    service.receiver.status = 200
    revive: ReviveDead = service.container.revive_dead()
    assert (await revive()).events == 1
    await deliver(service)
    assert len({each.headers["webhook-id"] for each in service.receiver.received}) == 1
    assert (await service.operations.overview()).webhooks.dead == 0


def test_the_attempts_last_about_a_day() -> None:
    delays = (DELIVERY_RETRIES.delay_after(n, jitter=0) for n in range(1, DELIVERY_RETRIES.max_attempts))
    assert timedelta(hours=20) < sum(delays, timedelta(0)) < timedelta(hours=30)


async def test_410_switches_a_webhook_off(service: Service) -> None:
    await add(service)
    service.receiver.status = 410
    await service.register()
    await service.work()
    await deliver(service, times=3, step=AN_HOUR)
    assert len(service.receiver.received) <= AT_ONCE
    (webhook,) = await listed(service)
    assert (webhook.is_enabled, webhook.reason) == (False, "it answered 410")
    assert (await service.operations.overview()).webhooks.disabled == 1


async def test_for_a_day_after_a_rotation_both_secrets_sign(service: Service) -> None:
    shown = await add(service, "a.example.com", EventKind.REGISTERED)
    rotate: RotateWebhookSecret = service.container.rotate_webhook_secret()
    rotated = await rotate(shown.webhook.webhook_id)
    assert rotated.secret != shown.secret
    await service.register()
    await deliver(service)
    await service.registry.clock.advance(timedelta(days=2))
    await service.register()
    await deliver(service)
    during, after = service.receiver.received
    assert holds(during, shown.secret)
    assert holds(during, rotated.secret)
    assert holds(after, rotated.secret)
    assert not holds(after, shown.secret)


async def test_a_receiver_that_takes_its_time_holds_up_no_other(service: Service) -> None:
    await add(service, "slow.example.com", EventKind.REGISTERED)
    await add(service, "quick.example.com", EventKind.REGISTERED)
    under_way, most = 0, 0

    async def stand_still(url: str) -> None:
        nonlocal under_way, most
        if "slow" in url:
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(60)

    service.receiver.before = stand_still
    for _ in range(3 * AT_ONCE):
        await service.register()
    duty = WebhookDuty(
        deliveries=service.container.deliveries(), deliver=service.container.deliver_webhooks(), look_every_s=0.01
    )
    working = asyncio.create_task(duty())
    await until(partial(_has_received, service, 3 * AT_ONCE), within_s=10)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    assert {each.url for each in service.receiver.received} == {"https://quick.example.com/hook"}
    assert most == AT_ONCE


async def test_a_record_that_gives_no_answer_is_waited_for(service: Service) -> None:
    class Down(InMemoryDeliveries):
        asked = 0

        async def waiting(self) -> Sequence[str]:
            self.asked += 1
            if self.asked == 1:
                raise UnavailableError("postgres", "no connection")
            return await super().waiting()

    await add(service, "a.example.com", EventKind.REGISTERED)
    await service.register()
    deliveries = Down(service.registry)
    duty = WebhookDuty(deliveries=deliveries, deliver=service.container.deliver_webhooks(), look_every_s=0.01)
    working = asyncio.create_task(duty())
    await until(partial(_has_received, service, 1), within_s=10)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def test_a_worker_that_dies_under_way_leaves_its_deliveries_to_the_next(service: Service) -> None:
    await add(service, "a.example.com", EventKind.REGISTERED)
    await service.register()
    (webhook,) = await listed(service)
    await service.container.deliveries().claim(webhook.webhook_id, 9, lease=DELIVERY_LEASE)
    await deliver(service)
    assert service.receiver.received == []
    await service.registry.clock.advance(DELIVERY_LEASE)
    await deliver(service)
    assert kinds(service.receiver.received) == ["registered"]


async def test_one_webhook_too_many_is_a_conflict(service: Service) -> None:
    for number in range(MAX_WEBHOOKS):
        await add(service, f"{number}.example.com")
    with pytest.raises(ConflictError):
        await add(service)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example.com",
        "ftp://a.example.com",
        "file:///etc/passwd",
        "https://",
        "https://kim:secret@a.example.com",
        "https://a.example.com/#x",
        "https://a.example.com/a b",
        "https://예.example.com",
        "https://a.example.com:99999",
        "https://a..example.com/",
        "https://" + "a" * 64 + ".example.com/",
        "https://.example.com/",
        "http://[::1",
        "http://127.0.0.1/",
        "http://10.0.0.1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:8080/",
        "http://[::ffff:10.0.0.1]/",
        "https://a.example.com/" + "x" * 2_000,
    ],
)
def test_what_nothing_is_sent_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        checked_url(url, allow_private=False)
    assert refused.value.field == "url"


@pytest.mark.parametrize("url", ["https://a.example.com", "http://a.example.com:8080/x?y=z", "https://93.184.215.14/"])
def test_what_is_public_is_taken(url: str) -> None:
    assert checked_url(url, allow_private=False) == url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:192.168.0.1",
        "64:ff9b::c0a8:1",
        "2002:c0a8:1::1",
        "::192.168.0.1",
        "64:ff9b:1::c0a8:1",
        "fec0::1",
    ],
)
def test_a_private_address_is_told_only_where_the_operator_allows_it(address: str) -> None:
    assert not may_be_told(ip_address(address), allow_private=False)
    assert may_be_told(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1"])  # noqa: S104 - refused
def test_what_is_nobody_s_address_is_never_told(address: str) -> None:
    assert not may_be_told(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14"])
def test_public_addresses_are_told(address: str) -> None:
    assert may_be_told(ip_address(address), allow_private=True)
