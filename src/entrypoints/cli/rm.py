"""`ladderbase rm`: delete programs, or further documents of one."""

import sys
from collections.abc import Sequence

import click

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.options import service_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer, RefusedError
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Service

_AT_ONCE = 100
_NAMED = 10
"""Of so many the question tells the names."""


@click.command("rm")
@pgm_id_argument("pgm_ids", nargs=-1)
@click.option("--document", "document_ids", multiple=True, metavar="ID", help="Only this further document of PGM_ID.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    pgm_ids: tuple[str, ...],
    document_ids: tuple[str, ...],
    yes: bool,
    url: str,
    as_json: bool,
) -> None:
    """Delete each PGM_ID with all of its documents, out of every answer at once and for good.

    Asks first, on a terminal; elsewhere it takes --yes. Exit code 1 when one was not there.
    """
    if document_ids and len(pgm_ids) > 1:
        raise click.UsageError("--document goes with one PGM_ID")
    if not yes and not _is_terminal():
        raise click.UsageError("nobody can be asked here: say --yes to delete without a question")
    pgm_ids, document_ids = tuple(dict.fromkeys(pgm_ids)), tuple(dict.fromkeys(document_ids))
    if not yes:
        named = asked(lambda service: _named(service, pgm_ids), url=url, transport=transport, as_json=as_json)
        what = f"documents {', '.join(document_ids)} of {named}" if document_ids else named
        click.confirm(f"Delete {what}, for good?", abort=True, err=True)

    async def delete(service: Service) -> Answer:
        return await (_removed(service, pgm_ids[0], document_ids) if document_ids else _deleted(service, pgm_ids))

    answer = asked(delete, url=url, transport=transport, as_json=as_json)
    _show(answer, as_json=as_json)
    sys.exit(0 if answer["deleted"] == len(answer["items"]) else REFUSED)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


async def _named(service: Service, pgm_ids: Sequence[str]) -> str:
    """The programs with their names, as far as they are there: an id is easily mistyped."""
    named = [await _name(service, pgm_id) for pgm_id in pgm_ids[:_NAMED]]
    rest = len(pgm_ids) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")


async def _name(service: Service, pgm_id: str) -> str:
    try:
        program = await service.program(pgm_id)
    except RefusedError as error:
        if error.problem.get("code") != "not_found":
            raise
        return f"{pgm_id} (not there)"
    return printable(f"{pgm_id} ({program['pgm_name']}, {program['document_count']} documents)")


async def _deleted(service: Service, pgm_ids: Sequence[str]) -> Answer:
    answers = [
        await service.delete_programs(pgm_ids[first : first + _AT_ONCE]) for first in range(0, len(pgm_ids), _AT_ONCE)
    ]
    items = [item for answer in answers for item in answer["items"]]
    return {"items": items, "deleted": sum(answer["deleted"] for answer in answers)}


async def _removed(service: Service, pgm_id: str, document_ids: Sequence[str]) -> Answer:
    items = []
    for document_id in document_ids:
        await service.remove_document(pgm_id, document_id)
        items.append({"pgm_id": pgm_id, "document_id": document_id, "result": "deleted"})
    return {"items": items, "deleted": len(items)}


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    for item in answer["items"]:
        which = item.get("document_id", item["pgm_id"])
        if item["result"] == "deleted":
            click.echo(f"deleted {printable(which)}")
        else:
            click.echo(f"{printable(which)} was not there", err=True)
