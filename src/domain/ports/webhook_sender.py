"""The way to webhooks."""

from collections.abc import Mapping
from typing import Protocol


class WebhookSender(Protocol):
    """Sends to addresses that others chose: never where the operator does not allow it, wherever a name leads to."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """POST once, following nothing; the status of the answer, whose body is ignored.

        Raises UnavailableError where no answer came in time or the destination is refused. Its reason holds no
        address and no secret.
        """
        ...
