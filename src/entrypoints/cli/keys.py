"""`ladderbase keys`: create, list and revoke the API keys of a service, in its database."""

import asyncio
import getpass
import logging
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from adapters.postgres.engine import create_engine
from adapters.postgres.key_repo import PostgresKeyRepo
from application.create_key import CreateKey
from application.list_keys import ListKeys
from application.revoke_key import RevokeKey
from domain.api_key import LONGEST_LIFE, MARK, ApiKey
from domain.caller import Scope
from domain.errors import ConflictError, InvalidRequestError, LadderbaseError, NotFoundError
from entrypoints.cli.data_dir import NotDoneError, data_dir_option, environment_of
from entrypoints.cli.exit_codes import REFUSED
from entrypoints.cli.key_rendering import described, in_words
from entrypoints.container import Container
from entrypoints.logs import configure_logging, quoted
from entrypoints.settings import SettingsError, read_database_url

_DAYS = 365
_log = logging.getLogger("ladderbase.security")

_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for scripts.")


class _RefusedError(click.ClickException):
    exit_code = REFUSED


@click.group("keys")
def command() -> None:
    """Create, list and revoke API keys. Works on the database that DATABASE_URL names; no service need be up."""


@command.command("create")
@click.argument("owner")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it allows; each scope allows what stands before it too.",
)
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_LIFE.days),
    default=_DAYS,
    show_default=True,
    help="How long it lives.",
)
@_as_json
@data_dir_option
def create(*, owner: str, scopes: tuple[str, ...], days: int, as_json: bool, data_dir: Path | None) -> None:
    """Create a key for OWNER and print it: now, and never again.

    An owner has at most two live keys, so that one can follow the other: create the second, hand it out, revoke the
    first. Exit code 1 where there are two already.
    """
    asyncio.run(_create(data_dir, owner, frozenset(map(Scope, scopes)), timedelta(days=days), as_json=as_json))


@command.command("list")
@click.option("--owner", help="Only the keys of this owner.")
@_as_json
@data_dir_option
def list_(*, owner: str | None, as_json: bool, data_dir: Path | None) -> None:
    """List keys by owner: prefix, scopes, how they stand, when they end and when they were last used."""
    asyncio.run(_list(data_dir, owner, as_json=as_json))


@command.command("revoke")
@click.argument("prefix")
@_as_json
@data_dir_option
def revoke(*, prefix: str, as_json: bool, data_dir: Path | None) -> None:
    """Revoke the key of PREFIX, for good. Every process refuses it within a minute."""
    asyncio.run(_revoke(data_dir, prefix, as_json=as_json))


async def _create(
    data_dir: Path | None, owner: str, scopes: frozenset[Scope], lives_for: timedelta, *, as_json: bool
) -> None:
    async with _container(data_dir) as container:
        create_key: CreateKey = container.create_key()
        created = await create_key(owner, scopes, lives_for)
    _note("create_key", created.key)
    if as_json:
        click.echo(described(created.key, _now(), text=created.text))
        return
    click.echo(created.text)
    if sys.stdout.isatty():
        click.echo("This is the only time that it is shown.", err=True)


async def _list(data_dir: Path | None, owner: str | None, *, as_json: bool) -> None:
    is_empty = True
    async with _container(data_dir) as container:
        list_keys: ListKeys = container.list_keys()
        async for key in list_keys(owner):
            is_empty = False
            click.echo(described(key, _now()) if as_json else in_words(key, _now()))
    if is_empty:
        click.echo("there are no keys", err=True)


async def _revoke(data_dir: Path | None, prefix: str, *, as_json: bool) -> None:
    async with _container(data_dir) as container:
        revoke_key: RevokeKey = container.revoke_key()
        key = await revoke_key(prefix)
    _note("revoke_key", key)
    if as_json:
        click.echo(described(key, _now()))
    else:
        click.echo(f"revoked {MARK}{key.prefix} of {key.owner}", err=True)


@asynccontextmanager
async def _container(data_dir: Path | None) -> AsyncIterator[Container]:
    """What keys need, and nothing else; what goes wrong inside the block ends the command with one line."""
    configure_logging("INFO")
    engine = create_engine(_database_url(data_dir), pool_size=1)
    try:
        yield Container(keys=PostgresKeyRepo(engine), randomness=secrets.token_bytes)
    except (ConflictError, NotFoundError, InvalidRequestError) as error:
        raise _RefusedError(str(error)) from error
    except LadderbaseError as error:
        raise NotDoneError(str(error)) from error
    finally:
        await engine.dispose()


def _database_url(data_dir: Path | None) -> str:
    try:
        return read_database_url(environment_of(data_dir))
    except SettingsError as error:
        raise click.UsageError(str(error)) from error


def _note(action: str, key: ApiKey) -> None:
    """The line of the security log; whoever has the database's password is known by no key, but by an account."""
    caller = quoted(f"account:{_account()}")
    _log.info("audit action=%s object=%s owner=%s caller=%s", action, key.prefix, quoted(key.owner), caller)


def _account() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user without a name
        return "unknown"


def _now() -> datetime:
    return datetime.now(tz=UTC)
