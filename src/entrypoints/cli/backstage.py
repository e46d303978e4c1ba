"""What the commands share that work on the stores themselves, beside a service that is up."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from adapters.queue.redis_pool import opened_redis
from domain.errors import LadderbaseError
from entrypoints.cli.exit_codes import NO_SERVICE
from entrypoints.container import Container
from entrypoints.embedded.addresses import kept_addresses
from entrypoints.embedded.component import StartError
from entrypoints.lifespan import opened
from entrypoints.logs import configure_logging
from entrypoints.settings import Settings, SettingsError, read_settings

F = TypeVar("F", bound=Callable[..., Any])


class NotDoneError(click.ClickException):
    """Something does not answer, or must be set right first."""

    exit_code = NO_SERVICE


def data_dir_option(command: F) -> F:
    """`--data-dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The data of a `ladderbase run` that is up, instead of the addresses in the environment.",
    )(command)


def settings_of(data_dir: Path | None) -> Settings:
    """What the environment says, and the addresses of the product that is up on a folder."""
    try:
        return read_settings({**os.environ, **(kept_addresses(data_dir) if data_dir else {})})
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    except StartError as error:
        raise NotDoneError(str(error)) from error


@asynccontextmanager
async def opened_stores(settings: Settings) -> AsyncIterator[Container]:
    """The container; what goes wrong inside the block ends the command with one line and exit code 3."""
    configure_logging(settings.log_level)
    try:
        async with opened_redis(settings.redis_url) as redis, opened(settings, redis) as container:
            yield container
    except LadderbaseError as error:
        raise NotDoneError(str(error)) from error
