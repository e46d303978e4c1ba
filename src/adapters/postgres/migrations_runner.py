"""Brings a database to the schema that this version needs, and tells whether it is there."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres.connection_url import sqlalchemy_url
from adapters.postgres.error_translation import translated_errors

# Any number, as long as nothing else takes an advisory lock under it.
_MIGRATION_LOCK = 5_401_746_213
_TURN_WAIT_S = 60
_STATEMENT_TIMEOUT_S = 300


async def upgrade(database_url: str) -> None:
    """Migrate to the newest schema, in one transaction; a current database, or a newer one, stays as it is.

    Processes that migrate at once take turns. Raises UnavailableError when the turn does not come within
    a minute or a table is locked for longer than two seconds: nothing has changed then.
    """
    async with _turn(database_url) as connection:
        if not await connection.run_sync(_is_far_enough):
            await connection.run_sync(_run(command.upgrade, "head"))


async def downgrade(database_url: str, revision: str = "base") -> None:
    """Migrate back to `revision`. Loses what the newer schema held."""
    async with _turn(database_url) as connection:
        await connection.run_sync(_run(command.downgrade, revision))


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema is the one that this version needs, or a newer one. Raises UnavailableError.

    A newer schema serves the version before it too: migrations add first and take away one version later.
    """
    with translated_errors():
        async with engine.connect() as connection:
            return await connection.run_sync(_is_far_enough)


def newest_revision() -> str:
    """The schema that this version needs, by the number of its migration."""
    (newest,) = _revisions()[0]
    return newest


@asynccontextmanager
async def _turn(database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        sqlalchemy_url(database_url),
        poolclass=NullPool,
        connect_args={"timeout": 10, "command_timeout": _STATEMENT_TIMEOUT_S + 2},
    )
    try:
        with translated_errors():
            async with engine.begin() as connection:
                await _wait_for_turn(connection)
                yield connection
    finally:
        await engine.dispose()


async def _wait_for_turn(connection: AsyncConnection) -> None:
    """Hold the lock until the transaction ends: the schema and its recorded version change together.

    lock_timeout counts for advisory locks too, so the short one is set only after the turn has come.
    """
    await connection.execute(text(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT_S}s'"))
    await connection.execute(text(f"SET LOCAL lock_timeout = '{_TURN_WAIT_S}s'"))
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    await connection.execute(text("SET LOCAL lock_timeout = '2s'"))


def _run(verb: Callable[[Config, str], None], revision: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        verb(config, revision)

    return run


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _is_far_enough(connection: Connection) -> bool:
    present = frozenset(MigrationContext.configure(connection).get_current_heads())
    wanted, known = _revisions()
    return present == wanted or not present <= known


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The newest revisions, and all that this version knows."""
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(scripts.get_heads()), frozenset(script.revision for script in scripts.walk_revisions())
