"""`ladderbase migrate`: bring the database to the schema that this version needs."""

import asyncio
import json
import os

import click

from adapters.postgres.migrations_runner import upgrade
from domain.errors import LadderbaseError
from entrypoints.cli.exit_codes import NO_SERVICE
from entrypoints.cli.options import json_option
from entrypoints.settings import SettingsError, read_database_url


class _NotMigratedError(click.ClickException):
    exit_code = NO_SERVICE


@click.command("migrate")
@json_option
def command(*, as_json: bool) -> None:
    """Migrate the database that DATABASE_URL names; a current one stays as it is. Exit code 3 when it is down."""
    try:
        asyncio.run(upgrade(read_database_url(os.environ)))
    except SettingsError as error:
        raise click.UsageError(str(error)) from error
    except LadderbaseError as error:
        raise _NotMigratedError(str(error)) from error
    if as_json:
        click.echo(json.dumps({"migrated": True}))
    else:
        click.echo("the database has the schema of this version", err=True)
