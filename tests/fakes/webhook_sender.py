"""A receiver of webhooks in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import UnavailableError
from domain.ports.webhook_sender import WebhookAnswer, WebhookSender


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    url: str
    headers: Mapping[str, str]
    body: bytes


class RecordingWebhookSender(WebhookSender):
    """Keeps what it is sent and answers `status`; no answer at all while that is 0. `before` may interfere.

    With `accepts`, what it does not hold for genuine is answered 401.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 204
        self.retry_after: timedelta | None = None
        self.accepts: Callable[[Received], bool] = lambda _: True
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        if self.before:
            await self.before(url)
        if self.status == 0:
            raise UnavailableError("webhook", "no answer: ConnectError")
        self.received.append(Received(url=url, headers=dict(headers), body=body))
        status = self.status if self.accepts(self.received[-1]) else 401
        return WebhookAnswer(status=status, retry_after=self.retry_after)
