"""`ladderbase retry`: give back what failed, of a program or everywhere."""

from typing import Any

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.options import service_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Service


@click.command("retry")
@pgm_id_argument(required=False)
@click.option("--document", "document_ids", multiple=True, metavar="ID", help="Only this document; may be repeated.")
@click.option("--all-states", is_flag=True, help="Also what is indexed or waits; it is found again once it is indexed.")
@click.option("--all-failed", is_flag=True, help="The failed documents of all programs.")
@click.option("--dead", is_flag=True, help="The events that nobody tries any more: unreadable ones, and buried ones.")
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    pgm_id: str | None,
    document_ids: tuple[str, ...],
    all_states: bool,
    all_failed: bool,
    dead: bool,
    url: str,
    as_json: bool,
) -> None:
    """Have the failed documents of PGM_ID indexed again, once what they failed on is mended.

    Exit code 0 when they were given back: `ladderbase status PGM_ID` tells how it ends.
    """
    if [pgm_id is not None, all_failed, dead].count(True) != 1:
        raise click.UsageError("say one of PGM_ID, --all-failed and --dead")
    if pgm_id is None and (document_ids or all_states):
        raise click.UsageError("--document and --all-states go with PGM_ID")

    async def give_back(service: Service) -> None:
        if pgm_id is None:
            _show_everywhere(await _everywhere(service, "failed" if all_failed else "dead"), as_json=as_json)
        else:
            _show_program(await service.retry(pgm_id, _chosen(document_ids, all_states)), as_json=as_json)

    asked(give_back, url=url, transport=transport, as_json=as_json)


def _chosen(document_ids: tuple[str, ...], all_states: bool) -> Answer:  # noqa: FBT001 - one of two choices
    chosen: dict[str, Any] = {"include": "all" if all_states else "failed"}
    return chosen | {"document_ids": document_ids} if document_ids else chosen


async def _everywhere(service: Service, include: str) -> dict[str, int]:
    """Page by page; what broke off goes on with the next call, which meets only what is still failed or dead."""
    totals = {"document_count": 0, "event_count": 0}
    page = await service.retry_everywhere(include)
    while True:
        totals = {name: total + page[name] for name, total in totals.items()}
        if page["next"] is None:
            return totals
        page = await service.retry_everywhere(include, page["next"])


def _show_program(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        click.echo(f"gave back {answer['document_count']} documents of {answer['pgm_id']}")


def _show_everywhere(totals: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json(totals)
    else:
        click.echo(f"gave back {totals['document_count']} documents and {totals['event_count']} dead events")
