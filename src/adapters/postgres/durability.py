"""Whether Postgres is set up to keep what it said it had committed."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.error_translation import translated_errors

_WEAKENED = text(
    "SELECT name FROM pg_settings"
    " WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name"
)


async def weakened_settings(engine: AsyncEngine) -> list[str]:
    """The settings, as they hold for our own sessions, by which a crash may cost what was committed.

    Raises UnavailableError.
    """
    with translated_errors():
        async with engine.connect() as connection:
            return list(await connection.scalars(_WEAKENED))
