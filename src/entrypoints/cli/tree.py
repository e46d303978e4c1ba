"""`ladderbase tree`: the folders and logics of a program, and its files."""

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.listing import all_documents
from entrypoints.cli.options import service_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.program_rendering import program_tree
from entrypoints.cli.rendering import print_json, screen
from entrypoints.cli.service import Service


@click.command("tree")
@pgm_id_argument()
@service_options
@click.pass_obj
def command(transport: Transport, /, *, pgm_id: str, url: str, as_json: bool) -> None:
    """Show the folders and logics of PGM_ID as its template orders them, and its files, each with its document's id."""
    grown = asked(lambda service: _grown(service, pgm_id), url=url, transport=transport, as_json=as_json)
    if as_json:
        print_json(grown)
    else:
        screen().print(program_tree(grown["program"], grown["template"], grown["documents"]))


async def _grown(service: Service, pgm_id: str) -> Answer:
    return {
        "program": await service.program(pgm_id),
        "template": await service.template(pgm_id),
        "documents": await all_documents(service, pgm_id),
    }
