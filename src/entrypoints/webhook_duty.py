"""Tell all webhooks what is due to them, each at its own pace."""

import asyncio
import logging
from dataclasses import dataclass, field

from application.deliver_webhooks import DeliverWebhooks
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.deliveries import Deliveries

_LOOK_EVERY_S = 1.0
_LONGEST_PAUSE_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class WebhookDuty:
    """One task for each webhook to which something is due, so that none waits for another. Ends when cancelled.

    What is under way then is sent again by whoever comes, once its lease has ended.
    """

    deliveries: Deliveries
    deliver: DeliverWebhooks
    look_every_s: float = _LOOK_EVERY_S
    _at_work: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def __call__(self) -> None:
        """Raises what is a bug."""
        pause_s = self.look_every_s
        try:
            while True:
                self._take_away_what_ended()
                try:
                    for webhook_id in await self.deliveries.waiting():
                        if webhook_id not in self._at_work:
                            self._at_work[webhook_id] = asyncio.create_task(self._until_nothing_is_due(webhook_id))
                    pause_s = self.look_every_s
                except (UnavailableError, MisconfiguredError) as error:
                    _log.warning("webhooks wait %.1f s: %s", pause_s, error)
                    pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                await asyncio.sleep(pause_s)
        finally:
            for task in self._at_work.values():
                task.cancel()
            await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    async def _until_nothing_is_due(self, webhook_id: str) -> None:
        try:
            while await self.deliver(webhook_id):
                pass
        except (UnavailableError, MisconfiguredError) as error:
            _log.warning("webhook %s is put off: %s", webhook_id, error)

    def _take_away_what_ended(self) -> None:
        for webhook_id, task in list(self._at_work.items()):
            if task.done():
                del self._at_work[webhook_id]
                task.result()
