"""PGM_ID as an argument, and what a shell completes it with."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
import httpx
from click.shell_completion import CompletionItem

from entrypoints.cli.options import DEFAULT_URL, URL, api_key
from entrypoints.cli.printable import printable
from entrypoints.cli.problems import Answer
from entrypoints.cli.service import connected

_NEWEST = 200
_WITHIN_S = 2.0
"""Nobody who pressed Tab waits longer."""

F = TypeVar("F", bound=Callable[..., Any])


def pgm_id_argument(name: str = "pgm_id", *, required: bool = True, nargs: int = 1) -> Callable[[F], F]:
    """The id of a program, or with `nargs` -1 of several, completed with those of the newest programs."""
    metavar = "PGM_ID..." if nargs < 0 else "PGM_ID" if required else "[PGM_ID]"
    return click.argument(name, metavar=metavar, required=required, nargs=nargs, shell_complete=_program_ids)


def _program_ids(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """None where the service does not answer at once: an error would stand in the middle of the command line."""
    url = ctx.params.get("url") or os.environ.get(URL) or DEFAULT_URL
    try:
        programs = asyncio.run(_newest(url, ctx.obj))
    except (click.ClickException, TimeoutError):
        return []
    return [
        CompletionItem(program["pgm_id"], help=printable(program["pgm_name"]))
        for program in programs
        if program["pgm_id"].startswith(incomplete.upper())
    ]


async def _newest(url: str, transport: httpx.AsyncBaseTransport | None) -> Sequence[Answer]:
    async with asyncio.timeout(_WITHIN_S), connected(url, transport, api_key=api_key()) as service:
        items: Sequence[Answer] = (await service.programs({"limit": _NEWEST}))["items"]
        return items
