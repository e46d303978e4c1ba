"""`ladderbase status`: how the service stands and which programs there are, or how far one's indexing is."""

import asyncio
import sys

import click
import httpx

from entrypoints.cli.exit_codes import REFUSED, SOME_FAILED
from entrypoints.cli.options import api_key, service_options, spoken
from entrypoints.cli.rendering import errors_table, print_json, programs_table, screen
from entrypoints.cli.service import Answer, RefusedError, Service, connected
from entrypoints.cli.standing import standing_lines

_NEWEST = 50


@click.command("status")
@click.argument("pgm_id", required=False)
@service_options
@click.pass_obj
def command(transport: httpx.AsyncBaseTransport | None, /, *, pgm_id: str | None, url: str, as_json: bool) -> None:
    """Tell how the service stands and list the newest programs, or tell how far PGM_ID is.

    Exit code 4 when some of its documents failed.
    """

    async def run() -> int:
        async with connected(url, transport, api_key=api_key(), language=spoken()) as service:
            if pgm_id is None:
                operations, page = await service.operations(), await service.programs(_NEWEST)
                return _show_service(operations, page, as_json=as_json)
            return await _show_program(service, pgm_id, as_json=as_json)

    try:
        sys.exit(asyncio.run(run()))
    except RefusedError as error:
        if not as_json:
            raise
        print_json(error.problem)
        sys.exit(REFUSED)


def _show_service(operations: Answer, page: Answer, *, as_json: bool) -> int:
    if as_json:
        print_json({"operations": operations, **page})
        return 0
    for line in standing_lines(operations):
        click.echo(line)
    if page["items"]:
        screen().print(programs_table(page["items"]))
        if page["next"]:
            click.echo(f"only the newest {_NEWEST} are shown", err=True)
    else:
        click.echo("no program is registered")
    return 0


async def _show_program(service: Service, pgm_id: str, *, as_json: bool) -> int:
    program, indexing = await service.program(pgm_id), await service.indexing(pgm_id)
    if as_json:
        print_json({"program": program, "indexing": indexing})
    else:
        console = screen()
        console.print(programs_table([program]))
        counts = ", ".join(f"{count} {state}" for state, count in indexing["counts"].items() if count)
        console.print(f"{indexing['done']} of {indexing['total']} done: {counts}")
        if indexing["errors"]:
            console.print(errors_table(indexing["errors"]))
    return SOME_FAILED if indexing["status"] == "failed" else 0
