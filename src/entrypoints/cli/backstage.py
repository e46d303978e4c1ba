"""What the commands share that work on the stores themselves, beside a service that is up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from adapters.queue.redis_pool import opened_redis
from domain.errors import LadderbaseError
from entrypoints.cli.data_dir import NotDoneError, environment_of
from entrypoints.container import Container
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.settings import Settings, SettingsError, read_settings


def settings_of(data_dir: Path | None) -> Settings:
    """What the environment says, and the addresses of the product that is up on a folder."""
    try:
        return read_settings(environment_of(data_dir))
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


@asynccontextmanager
async def opened_stores(settings: Settings) -> AsyncIterator[Container]:
    """The container; what goes wrong inside the block ends the command with one line and exit code 3."""
    configure_logging(settings.log_level)
    try:
        async with opened_redis(settings.redis_url) as redis, opened(settings, redis) as container:
            yield container
    except LadderbaseError as error:
        raise NotDoneError(str(error)) from error
