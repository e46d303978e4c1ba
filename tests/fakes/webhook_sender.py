"""A receiver of webhooks in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.errors import UnavailableError
from domain.ports.webhook_sender import WebhookSender


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    url: str
    headers: Mapping[str, str]
    body: bytes


class RecordingWebhookSender(WebhookSender):
    """Keeps what it is sent and answers `status`; no answer at all while that is 0. `before` may interfere."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 204
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        if self.before:
            await self.before(url)
        if self.status == 0:
            raise UnavailableError("webhook", "no answer: ConnectError")
        self.received.append(Received(url=url, headers=dict(headers), body=body))
        return self.status
