"""The way to webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What a receiver answered. `retry_after` is how long it asks to be left alone, None where it does not."""

    status: int
    retry_after: timedelta | None = None


class WebhookSender(Protocol):
    """Sends to addresses that others chose: never where the operator does not allow it, wherever a name leads to."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """POST once, following nothing; of the answer, the body is ignored.

        Raises UnavailableError where no answer came in time or the destination is refused. Its reason holds no
        address and no secret.
        """
        ...
