"""The wire format of webhooks."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from domain.webhook import LONGEST_URL, EventKind

Url = Annotated[str, Meta(max_length=LONGEST_URL, pattern="^https?://[!-~]+$")]
Kinds = Annotated[tuple[EventKind, ...], Meta(min_length=1, max_length=len(EventKind))]


class WebhookRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where to tell, and what of."""

    url: Url
    kinds: Kinds = tuple(EventKind)


class WebhookChange(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. Switched off, what is on its way to it is dead."""

    url: Url | None = None
    kinds: Kinds | None = None
    enabled: bool | None = None


class WebhookBody(Struct, kw_only=True, frozen=True):
    """A subscription; `reason` says why it is switched off."""

    webhook_id: str
    url: str
    kinds: tuple[EventKind, ...]
    enabled: bool
    reason: str
    create_dt: datetime


class WebhookSecretBody(WebhookBody, kw_only=True, frozen=True):
    """A subscription and the secret that signs, which is shown this once."""

    secret: str


class WebhookList(Struct, kw_only=True, frozen=True):
    """All subscriptions, the oldest first."""

    items: tuple[WebhookBody, ...]
