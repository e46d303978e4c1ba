"""Webhooks over HTTP: who is told of what."""

from collections.abc import Mapping
from typing import Annotated

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter, SkipValidation

from application.manage_webhooks import AddWebhook, ChangeWebhook, RotateWebhookSecret, ShownOnce
from domain.caller import Scope
from domain.ports.webhook_repo import WebhookRepo
from domain.webhook import Webhook
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.strict_json import MAX_JSON_BYTES, strict_json
from entrypoints.api.webhook_schemas import (
    WebhookBody,
    WebhookChange,
    WebhookList,
    WebhookRequest,
    WebhookSecretBody,
)
from entrypoints.container import Container

_TAGS = ("webhooks",)
_BODY_ERRORS = (408, 413, 415, 422)

WebhookId = Annotated[str, PathParameter(pattern=r"^wh_[0-9a-f]{12}$", description="As the listing names it.")]
RepoDependency = NamedDependency[SkipValidation[WebhookRepo]]


def webhook_dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of these handlers."""

    async def webhooks() -> WebhookRepo:
        return container.webhooks()

    async def add_webhook() -> AddWebhook:
        return container.add_webhook()

    async def change_webhook() -> ChangeWebhook:
        return container.change_webhook()

    async def rotate_secret() -> RotateWebhookSecret:
        return container.rotate_webhook_secret()

    providers = (webhooks, add_webhook, change_webhook, rotate_secret)
    return {provider.__name__: Provide(provider) for provider in providers}


@post(
    "/v1/webhooks",
    operation_id="add_webhook",
    before_request=strict_json(WebhookRequest),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(409, *_BODY_ERRORS),
    tags=_TAGS,
    **needs(Scope.ADMIN),
)
async def add(add_webhook: NamedDependency[AddWebhook], data: JSONBody[WebhookRequest]) -> Response[WebhookSecretBody]:
    """Have an address told of events. The secret that signs is in this answer, and in none after it."""
    body = _with_secret(await add_webhook(data.url, frozenset(data.kinds)))
    return Response(body, headers={"Location": f"/v1/webhooks/{body.webhook_id}"})


@get("/v1/webhooks", operation_id="list_webhooks", responses=problem_responses(), tags=_TAGS, **needs(Scope.ADMIN))
async def list_webhooks(webhooks: RepoDependency) -> WebhookList:
    """Who is told of what."""
    return WebhookList(items=tuple(map(_body, await webhooks.all())))


@patch(
    "/v1/webhooks/{webhook_id:str}",
    operation_id="change_webhook",
    before_request=strict_json(WebhookChange),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(404, *_BODY_ERRORS),
    tags=_TAGS,
    **needs(Scope.ADMIN),
)
async def change(
    change_webhook: NamedDependency[ChangeWebhook], webhook_id: WebhookId, data: JSONBody[WebhookChange]
) -> WebhookBody:
    """Tell another address, of other events, or nothing for a while."""
    kinds = None if data.kinds is None else frozenset(data.kinds)
    return _body(await change_webhook(webhook_id, url=data.url, kinds=kinds, is_enabled=data.enabled))


@post(
    "/v1/webhooks/{webhook_id:str}/secret",
    operation_id="rotate_webhook_secret",
    responses=problem_responses(404, 422),
    status_code=200,
    tags=_TAGS,
    **needs(Scope.ADMIN),
)
async def rotate(rotate_secret: NamedDependency[RotateWebhookSecret], webhook_id: WebhookId) -> WebhookSecretBody:
    """Sign with a new secret, shown in this answer alone, and for a day with the former one beside it."""
    return _with_secret(await rotate_secret(webhook_id))


@delete(
    "/v1/webhooks/{webhook_id:str}",
    operation_id="remove_webhook",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.ADMIN),
)
async def remove(webhooks: RepoDependency, webhook_id: WebhookId) -> None:
    """Tell it nothing more, nor what is on its way to it."""
    await webhooks.remove(webhook_id)


def _body(webhook: Webhook) -> WebhookBody:
    return WebhookBody(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=tuple(sorted(webhook.kinds)),
        enabled=webhook.is_enabled,
        reason=webhook.reason,
        create_dt=webhook.created_at,
    )


def _with_secret(shown: ShownOnce) -> WebhookSecretBody:
    webhook = shown.webhook
    return WebhookSecretBody(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        kinds=tuple(sorted(webhook.kinds)),
        enabled=webhook.is_enabled,
        reason=webhook.reason,
        create_dt=webhook.created_at,
        secret=shown.secret,
    )


HANDLERS = (add, list_webhooks, change, rotate, remove)
