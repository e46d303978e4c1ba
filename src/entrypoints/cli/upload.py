"""`ladderbase upload`: register a program and wait until it can be found."""

import getpass
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from entrypoints.cli.asking import Transport, asked
from entrypoints.cli.exit_codes import SOME_FAILED
from entrypoints.cli.following import Patience
from entrypoints.cli.options import api_key, service_options, wait_options
from entrypoints.cli.problems import Answer
from entrypoints.cli.progress_bars import bytes_bar
from entrypoints.cli.rendering import documents_table, errors_table, findings_table, print_json, screen
from entrypoints.cli.service import Service, UploadFiles
from entrypoints.cli.waiting import follow, perhaps_accepted, staying_accepted

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
@wait_options
@service_options
@click.pass_obj
def command(
    transport: Transport,
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
    timeout: float | None,
    url: str,
    as_json: bool,
) -> None:
    """Register the ladder CSVs in ZIP under the names in TEMPLATE, and wait until they are searchable.

    A refused upload leaves nothing behind; every problem of every file is named. Whoever stops waiting stops nothing
    else: exit code 5 when --timeout is over, 130 after Ctrl-C, 4 when some documents failed.
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

    request = UploadRequest(files=files, details=details, into=into, idempotency_key=idempotency_key)
    patience = None if no_wait else Patience(longest_s=timeout or math.inf)
    uploaded = asked(
        lambda service: _upload(service, request, patience, as_json=as_json),
        url=url,
        transport=transport,
        as_json=as_json,
    )
    sys.exit(uploaded)


async def _upload(service: Service, request: UploadRequest, patience: Patience | None, *, as_json: bool) -> int:
    with perhaps_accepted(), bytes_bar("sending", then="checking") as on_sent:
        program = await service.upload(
            request.files,
            request.details,
            into=request.into,
            idempotency_key=request.idempotency_key,
            on_sent=on_sent,
        )
    if not as_json:
        show_registered(screen(), program)
    indexing = None
    if patience is not None:
        with staying_accepted({"program": program, "indexing": None}, program["pgm_id"], as_json=as_json):
            indexing = await follow(service, program["pgm_id"], patience)
    if as_json:
        print_json({"program": program, "indexing": indexing})
    elif indexing:
        show_outcome(screen(), indexing)
    return SOME_FAILED if indexing and indexing["status"] == "failed" else 0


def show_registered(console: Console, program: Answer) -> None:
    """The validation report of an accepted upload."""
    if program["deduplicated"]:
        console.print(Text.assemble((program["pgm_id"], "bold"), " has these files already"))
        return
    report = program["report"]
    counts = f"{report['logic_count']} logics, {report['ladder_count']} ladder files, {report['comment_count']} device"
    console.print(
        Text.assemble(
            "registered ", (program["pgm_id"], "bold"), f", revision {program['revision']}: {counts} comments"
        )
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


def _account() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user without a name
        return "unknown"
