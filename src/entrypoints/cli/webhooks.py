"""`ladderbase webhooks`: who is told of what, over the HTTP API."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import click
import httpx

from domain.webhook import EventKind
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import api_key, service_options, spoken
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Answer, RefusedError, Service, connected

Transport = httpx.AsyncBaseTransport | None
_ONCE = "This is the only time that the secret is shown."


@click.group("webhooks")
def command() -> None:
    """Add, list and remove webhooks, and give one another secret. Needs a key of scope admin."""


@command.command("add")
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in EventKind]),
    help="All kinds where none is named.",
)
@service_options
@click.pass_obj
def add(transport: Transport, /, *, address: str, kinds: tuple[str, ...], url: str, as_json: bool) -> None:
    """Have ADDRESS told of events, and print the secret that signs them: now, and never again."""
    wanted = kinds or tuple(kind.value for kind in EventKind)
    answer = _asked(url, transport, lambda service: service.add_webhook(address, wanted), as_json=as_json)
    _show_secret(answer, as_json=as_json)


@command.command("list")
@service_options
@click.pass_obj
def list_(transport: Transport, /, *, url: str, as_json: bool) -> None:
    """List webhooks: id, address, kinds, and why one is switched off."""
    answer = _asked(url, transport, lambda service: service.webhooks(), as_json=as_json)
    if as_json:
        print_json(answer)
        return
    for webhook in answer["items"]:
        state = "" if webhook["enabled"] else f"  switched off: {webhook['reason']}"
        click.echo(f"{webhook['webhook_id']}  {webhook['url']}  {','.join(webhook['kinds'])}{state}")
    if not answer["items"]:
        click.echo("there are no webhooks", err=True)


@command.command("remove")
@click.argument("webhook_id")
@service_options
@click.pass_obj
def remove(transport: Transport, /, *, webhook_id: str, url: str, as_json: bool) -> None:
    """Tell the webhook nothing more."""
    _asked(url, transport, lambda service: service.remove_webhook(webhook_id), as_json=as_json)
    click.echo(f"removed {webhook_id}", err=True)


@command.command("rotate")
@click.argument("webhook_id")
@service_options
@click.pass_obj
def rotate(transport: Transport, /, *, webhook_id: str, url: str, as_json: bool) -> None:
    """Print a new secret for the webhook. The former one signs beside it for a day."""
    answer = _asked(url, transport, lambda service: service.rotate_webhook(webhook_id), as_json=as_json)
    _show_secret(answer, as_json=as_json)


def _asked(
    url: str, transport: Transport, question: Callable[[Service], Awaitable[Answer]], *, as_json: bool
) -> Answer:
    async def run() -> Answer:
        async with connected(url, transport, api_key=api_key(), language=spoken()) as service:
            return await question(service)

    try:
        return asyncio.run(run())
    except RefusedError as error:
        if not as_json:
            raise
        print_json(error.problem)
        sys.exit(REFUSED)


def _show_secret(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['webhook_id']}  {answer['secret']}")
    click.echo(_ONCE, err=True)
