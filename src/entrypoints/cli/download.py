"""`ladderbase download`: a program as one ZIP, the ZIP that it was uploaded as, or one of its documents."""

import re
from pathlib import Path

import click

from domain.document import DocumentType
from domain.export import file_name
from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.completing import pgm_id_argument
from entrypoints.cli.downloading import Download, Source
from entrypoints.cli.listing import all_documents
from entrypoints.cli.options import service_options
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.progress_bars import bytes_bar
from entrypoints.cli.rendering import print_json, size
from entrypoints.cli.saving import kept_whole, target_of
from entrypoints.cli.service import Service, content_of_document, content_of_program

_DOCUMENT_ID = re.compile(r"PGM_\d{1,18}-r\d{1,9}-\d{4,9}", re.ASCII)


@click.command("download")
@pgm_id_argument()
@click.argument("document", metavar="[DOC]", required=False)
@click.option("--original", is_flag=True, help="The ladder ZIP just as it was uploaded.")
@click.option("-o", "--output", type=click.Path(), help="The file, or the folder for it; this one when left out.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@service_options
@click.pass_obj
def command(
    transport: Transport,
    /,
    *,
    pgm_id: str,
    document: str | None,
    original: bool,
    output: str | None,
    force: bool,
    url: str,
    as_json: bool,
) -> None:
    """Download PGM_ID as one ZIP, or DOC of it: the id of a document, or its name.

    The file is there once all of it has come and was checked, and not before: what breaks off leaves nothing behind.
    """
    if document and original:
        raise click.UsageError("say DOC or --original")

    async def download(service: Service) -> Answer:
        source = await _source(service, pgm_id, document, is_original=original)
        return await _saved(service, source, target_of(output, source.name), is_forced=force)

    saved = asked(download, url=url, transport=transport, as_json=as_json)
    if as_json:
        print_json({"pgm_id": pgm_id, **saved})
    else:
        click.echo(f"{printable(saved['path'])}: {size(saved['size_bytes'])}, SHA-256 {saved['sha256']}")


async def _source(service: Service, pgm_id: str, document: str | None, *, is_original: bool) -> Source:
    if document is None and not is_original:
        name = file_name((await service.program(pgm_id))["pgm_name"])
        return Source(path=content_of_program(pgm_id), name=f"{name}.zip")
    found = await _document(service, pgm_id, document)
    return Source(
        path=content_of_document(found["document_id"]),
        name=file_name(found["document_name"]),
        size_bytes=found["size_bytes"],
        sha256=found["sha256"],
    )


async def _document(service: Service, pgm_id: str, wanted: str | None) -> Answer:
    """The document of that id or name, or the ladder ZIP."""
    if wanted and _DOCUMENT_ID.fullmatch(wanted) and wanted.startswith(f"{pgm_id}-"):
        return await service.document(wanted)
    documents = await all_documents(service, pgm_id)
    if wanted is None:
        found = [each for each in documents if each["document_type"] == DocumentType.LADDER_ZIP]
    else:
        found = [each for each in documents if wanted in {each["document_id"], each["document_name"]}]
    if len(found) == 1:
        return found[0]
    which = "ladder ZIP" if wanted is None else f"document {printable(wanted)}"
    if not found:
        raise click.ClickException(f"{pgm_id} has no {which}: `ladderbase tree {pgm_id}` shows what it has")
    ids = ", ".join(each["document_id"] for each in found)
    raise click.ClickException(f"{pgm_id} has several called {printable(wanted or '')}: name one by its id, {ids}")


async def _saved(service: Service, source: Source, target: Path, *, is_forced: bool) -> Answer:
    with kept_whole(target, is_forced=is_forced) as file, bytes_bar("downloading") as on_received:
        sha256 = await Download(service, source, file, on_received).run()
        size_bytes = file.seek(0, 2)
    return {"path": str(target), "name": source.name, "size_bytes": size_bytes, "sha256": sha256}
