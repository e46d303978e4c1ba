"""The connection pool to Postgres, with a limit on every wait."""

import json
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres.connection_url import sqlalchemy_url


def create_engine(
    database_url: str,
    *,
    pool_size: int = 10,
    pool_wait_s: float = 1.0,
    connect_timeout_s: float = 3.0,
    statement_timeout_s: float = 10.0,
    lock_timeout_s: float = 5.0,
    client_grace_s: float = 2.0,
) -> AsyncEngine:
    """A pool of at most `pool_size` connections, none of them opened yet; the caller disposes of it.

    Accepts `postgresql://` and `postgresql+asyncpg://`. Raises MisconfiguredError for anything else.
    """
    return create_async_engine(
        sqlalchemy_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_wait_s,
        pool_pre_ping=True,
        json_serializer=partial(json.dumps, ensure_ascii=False),
        connect_args={
            "timeout": connect_timeout_s,
            # For a server that is silent; the server's own limit says more, so it comes first.
            "command_timeout": statement_timeout_s + client_grace_s,
            "server_settings": {
                "application_name": "ladderbase",
                "statement_timeout": _milliseconds(statement_timeout_s),
                "lock_timeout": _milliseconds(lock_timeout_s),
                "idle_in_transaction_session_timeout": _milliseconds(60),
            },
        },
    )


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
