"""Tell a webhook what is due to it, and decide what its answer means."""

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.together import together
from domain.errors import ConflictError, UnavailableError
from domain.events import RetryPolicy
from domain.ports.deliveries import Deliveries
from domain.ports.webhook_sender import WebhookAnswer, WebhookSender
from domain.webhook import DELIVERY_RETRIES, Delivery, Occurrence, signatures

AT_ONCE = 4
DELIVERY_LEASE = timedelta(seconds=30)
_GONE = 410
_NO_ANSWER = WebhookAnswer(status=0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverWebhooks:
    """At least once, in any number of workers. What a webhook answers is told apart by its status alone."""

    deliveries: Deliveries
    sender: WebhookSender
    clock: Callable[[], datetime]
    retry: RetryPolicy = DELIVERY_RETRIES
    lease: timedelta = DELIVERY_LEASE
    jitter: Callable[[], float] = random.random

    async def __call__(self, webhook_id: str) -> int:
        """Send what is due to one webhook, at most AT_ONCE; how many. Raises UnavailableError without the record."""
        claimed = await self.deliveries.claim(webhook_id, AT_ONCE, lease=self.lease)
        await together(*map(self._deliver, claimed))
        return len(claimed)

    async def _deliver(self, delivery: Delivery) -> None:
        answer, reason = await self._answer_to(delivery)
        try:
            await self._record(delivery, answer, reason)
        except ConflictError:
            _log.warning("delivery %s passed on meanwhile", delivery.delivery_id)
        except UnavailableError as error:  # it is sent again once its lease has ended
            _log.warning("what became of delivery %s cannot be recorded: %s", delivery.delivery_id, error)

    async def _answer_to(self, delivery: Delivery) -> tuple[WebhookAnswer, str]:
        """What the receiver says, and why that is not enough, if it is not."""
        try:
            answer = await self.sender.send(delivery.webhook.url, *self._signed(delivery))
        except UnavailableError as error:
            return _NO_ANSWER, error.reason
        except Exception as error:  # noqa: BLE001 - one receiver must not end the worker, and with it the indexing
            _log.exception("delivery %s failed on a bug", delivery.delivery_id)
            return _NO_ANSWER, f"a bug here: {type(error).__name__}"
        return answer, f"it answered {answer.status}"

    async def _record(self, delivery: Delivery, answer: WebhookAnswer, reason: str) -> None:
        webhook_id = delivery.webhook.webhook_id
        if 200 <= answer.status < 300:  # noqa: PLR2004 - the statuses of success
            await self.deliveries.delivered(delivery)
        elif answer.status == _GONE:
            _log.error("webhook %s is switched off: it answered 410", webhook_id)
            await self.deliveries.switch_off(delivery, reason="it answered 410")
        elif self.retry.is_exhausted(delivery.attempts):
            _log.error("delivery %s to webhook %s is given up: %s", delivery.delivery_id, webhook_id, reason)
            await self.deliveries.bury(delivery, reason=reason)
        else:
            delay = self.retry.delay_after(delivery.attempts, jitter=self.jitter(), asked=answer.retry_after)
            told = "delivery %s to webhook %s, attempt %d: %s; again in %.0f s"
            _log.warning(told, delivery.delivery_id, webhook_id, delivery.attempts, reason, delay.total_seconds())
            await self.deliveries.postpone(delivery, delay=delay, reason=reason)

    def _signed(self, delivery: Delivery) -> tuple[dict[str, str], bytes]:
        """Signed anew for each attempt: receivers refuse what is old."""
        body, timestamp = _body(delivery.occurrence), int(self.clock().timestamp())
        signed = signatures(delivery.webhook.secrets, message_id=delivery.delivery_id, timestamp=timestamp, body=body)
        headers = {
            "content-type": "application/json",
            "user-agent": "ladderbase",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signed,
        }
        return headers, body


def _body(occurrence: Occurrence) -> bytes:
    told = {
        "kind": occurrence.kind.value,
        "pgm_id": occurrence.pgm_id,
        "pgm_name": occurrence.pgm_name,
        "revision": occurrence.revision,
        "status": occurrence.status,
        "occurred_at": occurrence.occurred_at.isoformat(),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
