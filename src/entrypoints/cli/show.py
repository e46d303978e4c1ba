"""`ladderbase show`: one program, what became of its documents, and what looks wrong about it."""

import sys

import click

from domain.document import DocumentType
from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.exit_codes import SOME_FAILED
from entrypoints.cli.listing import all_documents
from entrypoints.cli.options import service_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.program_rendering import print_program
from entrypoints.cli.rendering import print_json, screen
from entrypoints.cli.service import Service


@click.command("show")
@pgm_id_argument()
@service_options
@click.pass_obj
def command(transport: Transport, /, *, pgm_id: str, url: str, as_json: bool) -> None:
    """Tell what PGM_ID is: its revision, its documents by state, what failed, warnings, further documents.

    Exit code 4 when some of its documents failed.
    """
    shown = asked(lambda service: _known(service, pgm_id), url=url, transport=transport, as_json=as_json)
    if as_json:
        print_json(shown)
    else:
        print_program(screen(), shown)
    sys.exit(SOME_FAILED if shown["indexing"]["status"] == "failed" else 0)


async def _known(service: Service, pgm_id: str) -> Answer:
    program, documents = await service.program(pgm_id), await all_documents(service, pgm_id)
    return {
        "program": program,
        "indexing": await service.indexing(pgm_id),
        "warnings": await service.warnings(pgm_id),
        "further_documents": [each for each in documents if each["document_type"] == DocumentType.FURTHER],
    }
