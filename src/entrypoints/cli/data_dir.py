"""`--data-dir`: the addresses of a product that is up on a folder, for commands that work beside it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from entrypoints.cli.exit_codes import NO_SERVICE
from entrypoints.embedded.addresses import kept_addresses
from entrypoints.embedded.component import StartError

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


def environment_of(data_dir: Path | None) -> Mapping[str, str]:
    """The environment, where a folder is named with the addresses of what is up on it. Raises NotDoneError."""
    try:
        return {**os.environ, **(kept_addresses(data_dir) if data_dir else {})}
    except StartError as error:
        raise NotDoneError(str(error)) from error
