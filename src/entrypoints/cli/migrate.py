"""`ladderbase migrate`: bring the database to the schema that this version needs."""

import asyncio
import os

import click

from adapters.postgres.migrations_runner import upgrade
from domain.errors import LadderbaseError
from entrypoints.cli.exit_codes import NO_SERVICE
from entrypoints.settings import SettingsError, read_database_url


class _NotMigratedError(click.ClickException):
    exit_code = NO_SERVICE


@click.command("migrate")
def command() -> None:
    """Migrate the database that DATABASE_URL names; a current one stays as it is. Exit code 3 when it is down."""
    try:
        asyncio.run(upgrade(read_database_url(os.environ)))
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    except LadderbaseError as error:
        raise _NotMigratedError(str(error)) from error
    click.echo("the database has the schema of this version", err=True)
