"""A database URL in the two spellings that its readers want."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from domain.errors import MisconfiguredError

_DRIVERS = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})


def sqlalchemy_url(database_url: str) -> URL:
    """For SQLAlchemy with asyncpg. Raises MisconfiguredError, which never shows the URL: it may hold a password."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        # ValueError: a port that is no number. `from None`: the cause would quote the URL.
        raise MisconfiguredError("the database URL cannot be read") from None
    if url.drivername not in _DRIVERS:
        raise MisconfiguredError("the database URL must begin with postgresql://")
    # asyncpg.connect() knows libpq's `sslmode` by the name `ssl`.
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)


def asyncpg_dsn(database_url: str) -> str:
    """For asyncpg itself, password included. Raises MisconfiguredError as above."""
    url = sqlalchemy_url(database_url)
    query = {"sslmode" if name == "ssl" else name: value for name, value in url.query.items()}
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
