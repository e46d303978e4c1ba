"""`ladderbase doctor`: what keeps the service from working, and what to do about it."""

import asyncio
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import click
import msgspec

from adapters.queue.redis_pool import opened_redis
from application.check_readiness import Check, CheckReadiness
from application.probe_blob_store import ProbeBlobStore
from domain.errors import LadderbaseError
from entrypoints.cli.data_dir import data_dir_option, environment_of
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.printable import printable, printable_json
from entrypoints.cli.remedies import remedy_for
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.settings import Settings, SettingsError, read_settings, require_consistent_access

_LONGEST_S = 30.0
"""For each: a model of our own is loaded for the first time."""

OK, SETTINGS = "ok", "settings"


class Diagnosis(msgspec.Struct, kw_only=True, frozen=True):
    """What was found of one dependency: `ok`, `limited` (it works, but not for everything) or what keeps it."""

    name: str
    state: str
    text: str = ""
    remedy: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether something must be done."""
        return self.state not in {OK, "limited"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@data_dir_option
def command(*, as_json: bool, data_dir: Path | None) -> None:
    """Check the settings and every dependency, and say what to do about each that fails.

    Postgres, its schema and whether it keeps what it commits; Redis and its eviction policy; a worker; Milvus, its
    version and collection; the embedder and its dimension; the blob store and the scratch disk, by writing to them.
    Exit code 1 when something fails.
    """
    found = asyncio.run(_diagnosed(environment_of(data_dir)))
    if as_json:
        checks = [msgspec.to_builtins(each) for each in found]
        healthy = not _failing(found)
        click.echo(printable_json(json.dumps({"healthy": healthy, "checks": checks}, ensure_ascii=False)))
    else:
        for line in map(_in_words, found):
            click.echo(line)
    sys.exit(REFUSED if _failing(found) else 0)


async def _diagnosed(environment: Mapping[str, str]) -> list[Diagnosis]:
    """The settings first: with wrong ones nothing else can be asked."""
    try:
        settings = read_settings(environment)
        require_consistent_access(settings)
        configure_logging(logging.getLevelName(max(logging.ERROR, logging.getLevelName(settings.log_level))))
        return [Diagnosis(name=SETTINGS, state=OK), *await _of_dependencies(settings)]
    except (SettingsError, LadderbaseError, ValueError) as error:  # ValueError: of an address, which it may quote
        text = "an address cannot be read" if isinstance(error, ValueError) else str(error)
        return [Diagnosis(name=SETTINGS, state="misconfigured", text=text, remedy=remedy_for(SETTINGS, ""))]


async def _of_dependencies(settings: Settings) -> list[Diagnosis]:
    async with opened_redis(settings.redis_url) as redis, opened(settings, redis) as container:
        blobs = ProbeBlobStore(blobs=container.blobs(), name=uuid4().hex)
        checks: dict[str, Check] = {**container.readiness_checks(), "blob store": blobs}
        found = {each.dependency: each for each in await CheckReadiness(checks=checks, timeout_s=_LONGEST_S)()}
    return [
        Diagnosis(name=name, state=each.state, text=each.text, remedy=remedy_for(name, each.state))
        if (each := found.get(name))
        else Diagnosis(name=name, state=OK)
        for name in checks
    ]


def _failing(found: Sequence[Diagnosis]) -> bool:
    return any(each.is_failing for each in found)


def _in_words(found: Diagnosis) -> str:
    told = f"{found.name}: {found.state}"
    told += f": {printable(found.text)}" if found.text else ""
    return f"{told}\n  {found.remedy}" if found.remedy else told
