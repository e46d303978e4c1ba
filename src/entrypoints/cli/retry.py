"""`ladderbase retry`: give back what failed, of a program or everywhere."""

import asyncio
import sys
from typing import Any

import click
import httpx

from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import api_key, service_options, spoken
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Answer, RefusedError, Service, connected


@click.command("retry")
@click.argument("pgm_id", required=False)
@click.option("--document", "document_ids", multiple=True, metavar="ID", help="Only this document; may be repeated.")
@click.option("--all-states", is_flag=True, help="Also what is indexed or waits; it is found again once it is indexed.")
@click.option("--all-failed", is_flag=True, help="The failed documents of all programs.")
@click.option("--dead", is_flag=True, help="The events that nobody tries any more: unreadable ones, and buried ones.")
@service_options
@click.pass_obj
def command(
    transport: httpx.AsyncBaseTransport | None,
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

    async def run() -> None:
        async with connected(url, transport, api_key=api_key(), language=spoken()) as service:
            if pgm_id is None:
                _show_everywhere(await _everywhere(service, "failed" if all_failed else "dead"), as_json=as_json)
            else:
                _show_program(await service.retry(pgm_id, _chosen(document_ids, all_states)), as_json=as_json)

    try:
        asyncio.run(run())
    except RefusedError as error:
        if not as_json:
            raise
        print_json(error.problem)
        sys.exit(REFUSED)


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
