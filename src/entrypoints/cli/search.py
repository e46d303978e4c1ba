"""`ladderbase search`: find rungs by device, by token, by meaning."""

import sys

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import service_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import print_hit, print_json, screen


@click.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("--pgm-id", help="Only in this program.")
@click.option("--folder-id", help="Only in this folder.")
@click.option("--logic-id", help="Only in this logic.")
@click.option(
    "--document-type",
    type=click.Choice(["PGM_LADDER_CSV", "PGM_TEMPLATE_FILE", "PGM_FURTHER_DOCUMENT"]),
    help="Only rungs, or only rows of templates.",
)
@click.option(
    "--mode", type=click.Choice(["hybrid", "dense", "lexical"]), default="hybrid", show_default=True, help="The lanes."
)
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="How many hits at most.")
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    query: tuple[str, ...],
    url: str,
    as_json: bool,
    **narrowed: str | int | None,
) -> None:
    """Find the rungs that QUERY names or describes. Exit code 1 when there are none."""
    question = {"query": " ".join(query)} | {name: value for name, value in narrowed.items() if value is not None}

    answer = asked(lambda service: service.search(question), url=url, transport=transport, as_json=as_json)
    show_answer(answer, as_json=as_json)
    sys.exit(0 if answer["hits"] else REFUSED)


def show_answer(answer: Answer, *, as_json: bool) -> None:
    """The hits, best first."""
    if as_json:
        print_json(answer)
        return
    console = screen()
    for number, hit in enumerate(answer["hits"], start=1):
        print_hit(console, number, hit)
    if not answer["hits"]:
        click.echo("no rung found", err=True)
