"""`ladderbase reindex`: build the index of this model while the old one serves, then switch."""

import asyncio
import json
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from uuid import uuid4

import click

from application.rebuild_index import RebuildIndex
from domain.errors import UnavailableError
from entrypoints.cli.backstage import opened_stores, settings_of
from entrypoints.cli.data_dir import NotDoneError, data_dir_option
from entrypoints.cli.options import json_option
from entrypoints.container import Container
from entrypoints.index_duty import told_now_and_then
from entrypoints.settings import Settings

_PATIENCE_S = 900.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


@click.command("reindex")
@click.option("--all", "everything", is_flag=True, help="Build the index of this model from every indexed document.")
@click.option("--drop-old", is_flag=True, help="Remove the other indexes, once no process searches them any more.")
@json_option
@data_dir_option
def command(*, everything: bool, drop_old: bool, as_json: bool, data_dir: Path | None) -> None:
    """Change the embedding model: build its index aside, switch to it, and later drop the old one.

    The model, and everything else, is what the environment says. Searches go on in the old index meanwhile.
    Breaking off loses nothing: the next call goes on. Exit code 3 when something does not answer.
    """
    if not everything and not drop_old:
        raise click.UsageError("say --all, --drop-old, or both")
    try:
        done = asyncio.run(_reindex(settings_of(data_dir), everything=everything, drop_old=drop_old))
    except asyncio.CancelledError:
        raise NotDoneError("told to stop: what was built is kept, the next call goes on") from None
    if as_json:
        click.echo(json.dumps(done, ensure_ascii=False))


async def _reindex(settings: Settings, *, everything: bool, drop_old: bool) -> Mapping[str, str | int | None]:
    """The index that is built and how many are dropped; None for what was not asked for."""
    built, dropped = None, None
    if (task := asyncio.current_task()) is not None:  # as Ctrl-C does: the right to build is given back
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with opened_stores(settings) as container:
        if everything:
            await build(container)
            built = str(container.index().key)
        if drop_old:
            dropped = await container.drop_old_indexes()()
            _say(f"dropped {dropped} old index(es)")
    return {"built": built, "dropped": dropped}


async def build(
    container: Container,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Outages of up to a quarter of an hour are sat out. Raises ConflictError where somebody else builds it now."""
    rebuild: RebuildIndex = container.rebuild_index()
    builder, tell = str(uuid4()), told_now_and_then(_say)
    moved, pause_s = clock(), _FIRST_PAUSE_S
    while True:
        try:
            async for view in rebuild(builder):
                tell(view)
                moved, pause_s = clock(), _FIRST_PAUSE_S
        except UnavailableError as error:
            if clock() - moved > _PATIENCE_S:
                raise
            _say(f"{error}; going on in {pause_s:.0f} s")
            await sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        else:
            _say(f"the index of {rebuild.index.key} is complete and current")
            return


def _say(line: str) -> None:
    click.echo(line, err=True)
