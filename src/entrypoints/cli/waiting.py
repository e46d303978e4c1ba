"""Waiting until what was sent is searchable, and what is told when nobody waits any more."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import click

from entrypoints.cli.following import Patience, progress
from entrypoints.cli.problems import Answer, NoServiceError, TimedOutError
from entrypoints.cli.progress_bars import documents_bar
from entrypoints.cli.rendering import print_json
from entrypoints.cli.service import Service


async def follow(service: Service, pgm_id: str, patience: Patience | None = None) -> Answer:
    """Show progress until indexing is through; answers the whole status. Raises NoServiceError and TimedOutError."""
    with documents_bar("indexing") as show:
        async for standing in progress(service, pgm_id, patience):
            show(standing["done"], standing["total"])
    return standing


@contextmanager
def perhaps_accepted() -> Iterator[None]:
    """Where the sending in the block is interrupted, tell how to find out what became of it."""
    try:
        yield
    except asyncio.CancelledError:
        click.echo("it may have arrived whole: `ladderbase ls` and `ladderbase show PGM_ID` tell", err=True)
        raise


@contextmanager
def staying_accepted(accepted: Answer, pgm_id: str, *, as_json: bool) -> Iterator[None]:
    """Where the waiting in the block ends before its time, by Ctrl-C too, tell that what was accepted stays so."""
    try:
        yield
    except (asyncio.CancelledError, NoServiceError, TimedOutError):
        if as_json:
            print_json(accepted)
        look = f"`ladderbase status {pgm_id}` tells how far it is"
        click.echo(f"{pgm_id} stays accepted and is indexed all the same: {look}", err=True)
        raise
