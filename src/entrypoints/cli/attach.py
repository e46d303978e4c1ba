"""`ladderbase attach`: add a further document to a program, and wait until it can be found."""

import math
import sys
from pathlib import Path

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.exit_codes import SOME_FAILED
from entrypoints.cli.following import Patience
from entrypoints.cli.options import service_options, wait_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.progress_bars import bytes_bar
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Service
from entrypoints.cli.waiting import follow, perhaps_accepted, staying_accepted


@click.command("attach")
@pgm_id_argument()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", default="", help="What it is, in a line.")
@click.option("--description", default="", help="What there is to say about it.")
@click.option("--idempotency-key", default="", help="The same for a repeat of this; a fresh one when left out.")
@wait_options
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    pgm_id: str,
    file: Path,
    title: str,
    description: str,
    idempotency_key: str,
    no_wait: bool,
    timeout: float | None,
    url: str,
    as_json: bool,
) -> None:
    """Add FILE (.csv, .xlsx, .xls, .txt, .md, .pdf) to PGM_ID, and wait until searches find it beside the rungs.

    One of the same name gives way to it. Exit codes as those of `upload`.
    """
    details = {name: text for name, text in (("title", title), ("description", description)) if text}
    patience = None if no_wait else Patience(longest_s=timeout or math.inf)

    async def attach(service: Service) -> Answer:
        with perhaps_accepted(), bytes_bar("sending", then="checking") as on_sent:
            document = await service.attach(pgm_id, file, details, idempotency_key=idempotency_key, on_sent=on_sent)
        if patience is None:
            return document
        with staying_accepted({"document": document}, pgm_id, as_json=as_json):
            await follow(service, pgm_id, patience)
            return await service.document(document["document_id"])

    document = asked(attach, url=url, transport=transport, as_json=as_json)
    _show(document, as_json=as_json)
    sys.exit(SOME_FAILED if document["state"] == "failed" else 0)


def _show(document: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json({"document": document})
        return
    named = printable(f"{document['document_id']} ({document['document_name']})")
    if failure := document["failure"]:
        click.echo(f"{named} failed: {printable(failure['code'])}, {printable(failure['message'])}", err=True)
    elif document["state"] == "indexed":
        click.echo(f"searchable: {named}, {document['chunk_count']} passages")
    else:
        click.echo(f"accepted: {named}, {document['state']}")
