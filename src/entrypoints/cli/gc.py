"""`ladderbase gc`: remove the blobs and files that nobody owns."""

import asyncio
import json
import sys
from pathlib import Path

import click

from application.collect_garbage import CollectGarbage, Removed
from entrypoints.cli.backstage import opened_stores, settings_of
from entrypoints.cli.data_dir import data_dir_option
from entrypoints.cli.printable import printable, printable_json
from entrypoints.settings import Settings


@click.command("gc")
@click.option("--dry-run", "is_dry", is_flag=True, help="Tell what would be removed, and leave it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")
@data_dir_option
def command(*, is_dry: bool, as_json: bool, data_dir: Path | None) -> None:
    """Remove what crashed uploads left, and blobs older than a day that no document, program or upload owns.

    Safe while the service is up. Half-written files and scratch folders that are older than a day go whenever a
    process starts, this one too. Exit code 3 when something does not answer; calling again goes on.
    """
    sys.exit(asyncio.run(_collect(settings_of(data_dir), is_dry=is_dry, as_json=as_json)))


async def _collect(settings: Settings, *, is_dry: bool, as_json: bool) -> int:
    places = 0
    async with opened_stores(settings) as container:
        collect: CollectGarbage = container.collect_garbage()
        async for removed in collect(is_dry=is_dry):
            places += 1
            click.echo(_as_json(removed) if as_json else printable(_in_words(removed, is_dry=is_dry)))
    if not places:
        click.echo("nothing to remove", err=True)
    return 0


def _as_json(removed: Removed) -> str:
    told = {"garbage": removed.garbage, "prefix": removed.prefix or None, "count": removed.count}
    return printable_json(json.dumps(told, ensure_ascii=False))


def _in_words(removed: Removed, *, is_dry: bool) -> str:
    verb = "would remove" if is_dry else "removed"
    return f"{verb} {removed.garbage} {removed.prefix}".rstrip() + f": {removed.count}"
