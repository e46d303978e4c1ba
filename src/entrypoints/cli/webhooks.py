"""`ladderbase webhooks`: who is told of what, over the HTTP API."""

import click

from domain.webhook import EventKind
from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.options import service_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import print_json

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
    answer = asked(lambda service: service.add_webhook(address, wanted), url=url, transport=transport, as_json=as_json)
    _show_secret(answer, as_json=as_json)


@command.command("list")
@service_options
@click.pass_obj
def list_(transport: Transport, /, *, url: str, as_json: bool) -> None:
    """List webhooks: id, address, kinds, and why one is switched off."""
    answer = asked(lambda service: service.webhooks(), url=url, transport=transport, as_json=as_json)
    if as_json:
        print_json(answer)
        return
    for webhook in answer["items"]:
        state = "" if webhook["enabled"] else f"  switched off: {webhook['reason']}"
        click.echo(printable(f"{webhook['webhook_id']}  {webhook['url']}  {','.join(webhook['kinds'])}{state}"))
    if not answer["items"]:
        click.echo("there are no webhooks", err=True)


@command.command("remove")
@click.argument("webhook_id")
@service_options
@click.pass_obj
def remove(transport: Transport, /, *, webhook_id: str, url: str, as_json: bool) -> None:
    """Tell the webhook nothing more."""
    asked(lambda service: service.remove_webhook(webhook_id), url=url, transport=transport, as_json=as_json)
    if as_json:
        print_json({"webhook_id": webhook_id, "removed": True})
    else:
        click.echo(f"removed {webhook_id}", err=True)


@command.command("rotate")
@click.argument("webhook_id")
@service_options
@click.pass_obj
def rotate(transport: Transport, /, *, webhook_id: str, url: str, as_json: bool) -> None:
    """Print a new secret for the webhook. The former one signs beside it for a day."""
    answer = asked(lambda service: service.rotate_webhook(webhook_id), url=url, transport=transport, as_json=as_json)
    _show_secret(answer, as_json=as_json)


def _show_secret(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['webhook_id']}  {answer['secret']}")
    click.echo(_ONCE, err=True)
