"""`ladderbase upload`: register a program and wait until it can be found."""

import asyncio
import getpass
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from entrypoints.cli.exit_codes import REFUSED, SOME_FAILED
from entrypoints.cli.options import api_key, service_options, spoken
from entrypoints.cli.rendering import documents_table, errors_table, findings_table, print_json, screen
from entrypoints.cli.service import Answer, RefusedError, Service, UploadFiles, connected

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """What is uploaded, into which program if not a new one."""

    files: UploadFiles
    details: dict[str, str]
    into: str | None
    idempotency_key: str


@click.command("upload")
@click.argument("ladder_zip", metavar="ZIP", type=_FILE)
@click.argument("template", metavar="TEMPLATE", type=_FILE)
@click.option("--comments", type=_FILE, help="The device comments as CSV.")
@click.option("--name", help="The program's name; the ZIP's name when left out.")
@click.option("--user", help="Who registers it; the account's name when left out.")
@click.option("--version", default="", help="The program's version.")
@click.option("--into", metavar="PGM_ID", help="Replace the files of this program, which keeps its name and version.")
@click.option("--idempotency-key", default="", help="The same for a repeat of this upload; a fresh one when left out.")
@click.option("--no-wait", is_flag=True, help="Do not wait until it is searchable.")
@service_options
@click.pass_obj
def command(
    transport: httpx.AsyncBaseTransport | None,
    /,
    *,
    ladder_zip: Path,
    template: Path,
    comments: Path | None,
    name: str | None,
    user: str | None,
    version: str,
    into: str | None,
    idempotency_key: str,
    no_wait: bool,
    url: str,
    as_json: bool,
) -> None:
    """Register the ladder CSVs in ZIP under the names in TEMPLATE, and wait until they are searchable.

    A refused upload leaves nothing behind; every problem of every file is named.
    """
    files = UploadFiles(ladder_zip=ladder_zip, template=template, comments=comments)
    if into and (name or version):
        raise click.UsageError("--into replaces files alone: leave --name and --version out")
    # With a key the service knows who uploads.
    details = {} if api_key() and not user else {"create_user": user or _account()}
    if into and idempotency_key:
        raise click.UsageError("--into registers nothing: leave --idempotency-key out")
    if not into:
        details |= {"pgm_name": name or ladder_zip.stem, "pgm_version": version}

    async def run() -> int:
        async with connected(url, transport, api_key=api_key(), language=spoken()) as service:
            request = UploadRequest(files=files, details=details, into=into, idempotency_key=idempotency_key)
            return await _upload(service, request, wait=not no_wait, as_json=as_json)

    sys.exit(asyncio.run(run()))


async def _upload(service: Service, request: UploadRequest, *, wait: bool, as_json: bool) -> int:
    try:
        program = await service.upload(
            request.files, request.details, into=request.into, idempotency_key=request.idempotency_key
        )
    except RefusedError as error:
        show_refusal(error, as_json=as_json)
        return REFUSED
    if not as_json:
        show_registered(screen(), program)
    indexing = await follow(service, program["pgm_id"]) if wait else None
    if as_json:
        print_json({"program": program, "indexing": indexing})
    elif indexing:
        show_outcome(screen(), indexing)
    return SOME_FAILED if indexing and indexing["status"] == "failed" else 0


def show_refusal(error: RefusedError, *, as_json: bool) -> None:
    """Every finding of a refused upload."""
    if as_json:
        print_json(error.problem)
        return
    click.echo(f"Error: {error.format_message()}", err=True)
    if findings := error.problem.get("findings"):
        screen(stderr=True).print(findings_table(findings))


def show_registered(console: Console, program: Answer) -> None:
    """The validation report of an accepted upload."""
    if program["deduplicated"]:
        console.print(f"[bold]{program['pgm_id']}[/bold] has these files already")
        return
    report = program["report"]
    console.print(
        f"registered [bold]{program['pgm_id']}[/bold], revision {program['revision']}: "
        f"{report['logic_count']} logics, {report['ladder_count']} "
        f"ladder files, {report['comment_count']} device comments"
    )
    console.print(documents_table(program["documents"]))
    if report["findings"]:
        console.print(findings_table(report["findings"]))


def show_outcome(console: Console, indexing: Answer) -> None:
    """How indexing ended."""
    indexed, failed = indexing["counts"]["indexed"], indexing["counts"]["failed"]
    if failed:
        console.print(f"{failed} documents failed, {indexed} are searchable", style="bold red")
        console.print(errors_table(indexing["errors"]))
    else:
        console.print(f"searchable: {indexed} documents", style="green")


async def follow(service: Service, pgm_id: str) -> Answer:
    """Show progress until indexing is through; answers the last of it. Raises NoServiceError."""
    console = screen(stderr=True)
    if not console.is_terminal:
        return await _follow_in_lines(service, pgm_id, console)
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        async for indexing in service.progress(pgm_id):
            bar.update(task, completed=indexing["done"], total=indexing["total"])
    return indexing


async def _follow_in_lines(service: Service, pgm_id: str, console: Console) -> Answer:
    told = -1
    async for indexing in service.progress(pgm_id):
        if indexing["done"] != told:
            told = indexing["done"]
            console.print(f"indexing {told} of {indexing['total']}", style="dim")
    return indexing


def _account() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user without a name
        return "unknown"
