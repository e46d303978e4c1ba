"""`ladderbase ls`: the programs there are, all of them or those that are looked for."""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from domain.ports.catalogue import ProgramSort
from domain.program import ProgramStatus
from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.listing import PAGE, pages
from entrypoints.cli.options import service_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import print_json, programs_table, screen
from entrypoints.cli.service import Service

_MOST = 10_000
"""Programs in one answer of `--all`: beyond, the cursor goes on."""

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])
_PAGING = ("sort", "limit", "cursor")


@click.command("ls")
@click.option("--name", help="Only programs with this in their name, in any case and width.")
@click.option("--status", type=click.Choice([status.value for status in ProgramStatus]), help="Only such programs.")
@click.option("--user", "create_user", help="Only programs that just this user registered.")
@click.option("--folder", help="Only programs that have a folder with just this id or name.")
@click.option("--from", "created_from", type=_MOMENT, help="Only programs registered then or later; UTC, as listed.")
@click.option("--to", "created_to", type=_MOMENT, help="Only programs registered before; UTC, as listed.")
@click.option(
    "--sort",
    type=click.Choice([order.value for order in ProgramSort]),
    default=ProgramSort.NEWEST.value,
    show_default=True,
    help="The order.",
)
@click.option("--limit", type=click.IntRange(1, PAGE), default=50, show_default=True, help="How many at most.")
@click.option("--cursor", help="Where the page before ended.")
@click.option("--all", "everything", is_flag=True, help=f"All pages, up to {_MOST:,} programs.")
@service_options
@click.pass_obj
def command(
    transport: Transport, /, *, everything: bool, url: str, as_json: bool, **narrowed: str | int | datetime | None
) -> None:
    """List the programs for which all of the options hold. Exit code 1 when they leave none over."""
    chosen = {name: _written(value) for name, value in narrowed.items() if value is not None}
    page = asked(
        lambda service: _listed(service, chosen, everything=everything), url=url, transport=transport, as_json=as_json
    )
    is_narrowed = bool(chosen.keys() - set(_PAGING))
    _show(page, is_narrowed=is_narrowed, as_json=as_json)
    sys.exit(REFUSED if is_narrowed and not page["items"] else 0)


def _written(value: str | int | datetime) -> str | int:
    if not isinstance(value, datetime):
        return value
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _listed(service: Service, chosen: dict[str, Any], *, everything: bool) -> Answer:
    """One page, or as many as there are: with the cursor after the last and the total of the first."""
    if not everything:
        return await service.programs({**chosen, "total": "true"})
    listed: dict[str, Any] = {"items": [], "next": None, "total": None}
    async for page in pages(service.programs, {**chosen, "limit": PAGE, "total": "true"}):
        listed["items"].extend(page["items"])
        listed |= {"next": page["next"], "total": page["total"] if listed["total"] is None else listed["total"]}
        if len(listed["items"]) >= _MOST:
            break
    return listed


def _show(page: Answer, *, is_narrowed: bool, as_json: bool) -> None:
    if as_json:
        print_json(page)
    elif page["items"]:
        screen().print(programs_table(page["items"]))
        click.echo(f"{len(page['items'])} of {page['total']} programs", err=True)
        if page["next"]:
            click.echo(f"there is more: --all, or --cursor {page['next']}", err=True)
    elif is_narrowed:
        click.echo("no program is like that: leave an option out, or see them all with `ladderbase ls`", err=True)
    else:
        click.echo("no program is registered: `ladderbase upload ZIP TEMPLATE` registers one", err=True)
