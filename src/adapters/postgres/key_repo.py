"""KeyRepo on Postgres."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.error_translation import translated_errors
from adapters.postgres.tables import NOW, api_keys
from domain.api_key import ApiKey, NewKey
from domain.caller import Scope
from domain.errors import ConflictError, NotFoundError
from domain.ports.key_repo import KeyRepo

_LOCK = "ladderbase api_keys of "


class PostgresKeyRepo(KeyRepo):
    """A transaction for each call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, key: NewKey, *, live_at_most: int) -> ApiKey:
        """See the port. Those who add keys of one owner at once wait for each other, so that each counts the last."""
        adding = (
            insert(api_keys)
            .values(
                prefix=key.prefix,
                owner=key.owner,
                digest=key.digest,
                scopes=sorted(key.scopes),
                expires_at=NOW + key.lives_for,
            )
            .returning(api_keys)
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                lock = func.pg_advisory_xact_lock(func.hashtextextended(_LOCK + key.owner, 0))
                await connection.execute(select(lock))
                if await _live_keys(connection, key.owner) >= live_at_most:
                    raise ConflictError(f"{key.owner} has {live_at_most} live keys already: revoke one first")
                return _key((await connection.execute(adding)).one())

    async def find(self, prefix: str) -> ApiKey | None:
        """See the port."""
        with translated_errors():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(api_keys).where(api_keys.c.prefix == prefix))).first()
        return _key(row) if row else None

    async def page(self, *, limit: int, after: ApiKey | None = None, owner: str | None = None) -> list[ApiKey]:
        """See the port."""
        place = tuple_(api_keys.c.owner, api_keys.c.prefix)
        chosen = select(api_keys).order_by(api_keys.c.owner, api_keys.c.prefix).limit(limit)
        if after is not None:
            chosen = chosen.where(place > tuple_(after.owner, after.prefix))
        if owner is not None:
            chosen = chosen.where(api_keys.c.owner == owner)
        with translated_errors():
            async with self._engine.connect() as connection:
                return [_key(row) for row in await connection.execute(chosen)]

    async def revoke(self, prefix: str) -> ApiKey:
        """See the port."""
        revoking = (
            update(api_keys)
            .where(api_keys.c.prefix == prefix)
            .values(revoked_at=func.coalesce(api_keys.c.revoked_at, NOW))
            .returning(api_keys)
        )
        with translated_errors():
            async with self._engine.begin() as connection:
                row = (await connection.execute(revoking)).first()
        if row is None:
            raise NotFoundError("key", prefix)
        return _key(row)

    async def note_uses(self, prefixes: Collection[str], *, every: timedelta) -> None:
        """See the port. The rows are locked in one order, or two processes could wait for each other."""
        due = (
            select(api_keys.c.prefix)
            .where(
                api_keys.c.prefix.in_(prefixes),
                or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= NOW - every),
            )
            .order_by(api_keys.c.prefix)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        noting = update(api_keys).where(api_keys.c.prefix == due.c.prefix).values(last_used_at=NOW)
        with translated_errors():
            async with self._engine.begin() as connection:
                await connection.execute(noting)


async def _live_keys(connection: AsyncConnection, owner: str) -> int:
    is_live = and_(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > NOW)
    counting = select(func.count()).select_from(api_keys).where(api_keys.c.owner == owner, is_live)
    return int(await connection.scalar(counting) or 0)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        prefix=row.prefix,
        owner=row.owner,
        digest=row.digest,
        scopes=frozenset(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
