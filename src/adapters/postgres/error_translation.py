"""Where the exceptions of asyncpg and SQLAlchemy become the core's errors, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.errors import ConflictError, InvalidRequestError, LadderbaseError, MisconfiguredError, UnavailableError
from domain.told import told

_CONFLICTS = {
    "programs_pkey": "the program is registered already",
    "programs_pgm_number_key": "the program is registered already",
    "revisions_pkey": "the revision is registered already",
    "documents_pkey": "the document is registered already",
    "documents_pgm_id_revision_ordinal_key": "the place of the document is taken",
    "documents_pgm_id_revision_fkey": "the document's revision is not registered",
    "uploads_pkey": "an upload under this prefix is under way",
    "idempotency_keys_pkey": "the idempotency key is taken",
    "webhooks_pkey": "the id of the webhook is taken",
    "api_keys_pkey": "the prefix of the key is taken",
}

# Two that come first at once: asking again shows who was.
_RACES = {"vector_indexes_current_idx": "another index became current at the same moment"}

# SQLSTATE, or its first two characters, to a short word that holds no secret.
_PASSING = {
    "08": "the connection was lost",
    "0A000": "a migration changed what a prepared statement relied on",
    "25006": "the server is a replica",
    "25P03": "the transaction was idle for too long",
    "40001": "a concurrent transaction came first",
    "40P01": "a deadlock was broken",
    "53": "the server is out of resources",
    "55P03": "a lock was not free in time",
    "57014": "a statement took too long",
    "57": "the server is shutting down or starting",
    "58": "the server's file system failed",
    "42P01": "its schema is not the one this version needs: run `ladderbase migrate`",
    "42703": "its schema is not the one this version needs: run `ladderbase migrate`",
}
_MISCONFIGURED = {
    "28": "postgres refuses the configured user",
    "42501": "postgres refuses the configured user what it needs",
    "3D000": "postgres has no database of the configured name",
}
_TEXT_REFUSED = frozenset({"22021", "22P05"})


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate what asyncpg and SQLAlchemy raise; let every other exception pass.

    asyncpg raises plain OSError and TimeoutError while it connects, and InternalClientError, which is no
    ConnectionError, when the server dies in the middle of a query.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise UnavailableError("postgres", "no connection of the pool was free in time") from error
    except DBAPIError as error:
        translated = _translated(_driver_error(error), connection_lost=error.connection_invalidated)
        if translated is None:
            raise
        raise translated from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        translated = _translated(error, connection_lost=False)
        if translated is None:
            raise
        raise translated from error
    except TimeoutError as error:
        raise UnavailableError("postgres", "no answer in time") from error
    except OSError as error:
        raise UnavailableError("postgres", "no connection") from error


def _driver_error(error: DBAPIError) -> BaseException:
    """Dig asyncpg's own exception out: SQLAlchemy wraps it twice."""
    wrapped = error.orig or error
    return wrapped.__cause__ or wrapped


def _translated(error: BaseException, *, connection_lost: bool) -> LadderbaseError | None:
    """The core's error, or None for what is a bug of ours."""
    sqlstate: str = getattr(error, "sqlstate", None) or ""
    constraint: str = getattr(error, "constraint_name", None) or ""
    if (violated := _violated(constraint)) is not None:
        return violated
    if sqlstate in _TEXT_REFUSED or isinstance(error.__cause__, UnicodeEncodeError):
        message = told("text with U+0000 or half a character cannot be kept")
        return InvalidRequestError("text", message, code="text_invalid")
    for code in (sqlstate, sqlstate[:2]):
        if code in _MISCONFIGURED:
            return MisconfiguredError(_MISCONFIGURED[code])
        if code in _PASSING:
            return UnavailableError("postgres", _PASSING[code])
    if connection_lost or isinstance(error, asyncpg.InternalClientError) or _tells_of_a_closed_connection(error):
        return UnavailableError("postgres", "the connection was lost")
    return None


def _violated(constraint: str) -> LadderbaseError | None:
    if constraint in _CONFLICTS:
        return ConflictError(_CONFLICTS[constraint])
    return UnavailableError("postgres", _RACES[constraint]) if constraint in _RACES else None


def _tells_of_a_closed_connection(error: BaseException) -> bool:
    """Asyncpg says so in words only; its other InterfaceErrors are misuse, which must show."""
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)
