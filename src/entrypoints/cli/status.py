"""`ladderbase status`: how the service stands and which programs there are, or how far one's indexing is."""

import sys

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.exit_codes import SOME_FAILED
from entrypoints.cli.options import service_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.rendering import errors_table, print_json, programs_table, screen
from entrypoints.cli.service import Service
from entrypoints.cli.standing import standing_lines

_NEWEST = 50


@click.command("status")
@pgm_id_argument(required=False)
@service_options
@click.pass_obj
def command(transport: Transport, /, *, pgm_id: str | None, url: str, as_json: bool) -> None:
    """Tell how the service stands and list the newest programs, or tell how far PGM_ID is.

    Exit code 4 when some of its documents failed.
    """

    async def tell(service: Service) -> int:
        if pgm_id is None:
            operations, page = await service.operations(), await service.programs({"limit": _NEWEST})
            return _show_service(operations, page, as_json=as_json)
        return await _show_program(service, pgm_id, as_json=as_json)

    sys.exit(asked(tell, url=url, transport=transport, as_json=as_json))


def _show_service(operations: Answer, page: Answer, *, as_json: bool) -> int:
    if as_json:
        print_json({"operations": operations, **page})
        return 0
    for line in standing_lines(operations):
        click.echo(printable(line))
    if page["items"]:
        screen().print(programs_table(page["items"]))
        if page["next"]:
            click.echo(f"only the newest {_NEWEST} are shown: `ladderbase ls` lists them all", err=True)
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
