"""`ladderbase where-used`: who reads and writes a device, in all programs or in one."""

import sys

import click
from rich.table import Table
from rich.text import Text

from domain.ladder.roles import Role
from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import service_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import cell, print_json, screen


@click.command("where-used")
@click.argument("device")
@click.option("--pgm-id", help="Only in this program.")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Only where it is used so.")
@click.option("--limit", type=click.IntRange(1, 200), default=100, show_default=True, help="How many uses at most.")
@click.option("--cursor", help="Where the page before ended.")
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    device: str,
    url: str,
    as_json: bool,
    **narrowed: str | int | None,
) -> None:
    """Tell where DEVICE is used, also where a block or a word covers it. Exit code 1 when it is used nowhere."""
    chosen = {name: value for name, value in narrowed.items() if value is not None}

    answer = asked(lambda service: service.uses(device, chosen), url=url, transport=transport, as_json=as_json)
    _show(answer, as_json=as_json)
    sys.exit(0 if answer["items"] else REFUSED)


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    if answer["items"]:
        screen().print(_table(answer))
    else:
        click.echo(f"{printable(answer['device'])} is used nowhere", err=True)
    if answer["next"]:
        click.echo(f"there is more: --cursor {answer['next']}", err=True)
    if not answer["complete"]:
        click.echo("not all documents have been read for it yet", err=True)


def _table(answer: Answer) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for name in ("program", "document", "logic", "step", "role", "instruction", "comment"):
        table.add_column(name, overflow="fold", justify="right" if name == "step" else "left")
    for use in answer["items"]:
        table.add_row(
            *(cell(use[field]) for field in ("pgm_id", "document_name", "logic_name")),
            Text("" if use["step"] is None else str(use["step"])),
            cell(use["role"], "bold"),
            cell(f"{use['instruction']} {use['operand']}"),
            cell(use["comment"]),
        )
    return table
