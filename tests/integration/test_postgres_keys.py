"""API keys on a real Postgres: what the port promises, and that no text of a key is anywhere in the database."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import create_engine
from adapters.postgres.key_repo import PostgresKeyRepo
from contracts.key_repo import KeyRepoContract, an_issued_key
from contracts.outbox import TimePasses


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_wait_s=30)  # a slow machine is not what is tested
    yield engine
    await engine.dispose()


@pytest.fixture
def keys(engine: AsyncEngine) -> PostgresKeyRepo:
    return PostgresKeyRepo(engine)


@pytest.fixture
def time_passes(engine: AsyncEngine) -> TimePasses:
    """The server's clock cannot be moved; its record of the past can."""

    async def pass_by(by: timedelta) -> None:
        moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
        earlier = ", ".join(f"{moment} = {moment} - CAST(:by AS interval)" for moment in moments)
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE api_keys SET {earlier}"), {"by": by})  # noqa: S608 - our own names

    return pass_by


class TestPostgresKeyRepo(KeyRepoContract):
    pass


async def test_the_text_of_a_key_is_nowhere_in_its_row(keys: PostgresKeyRepo, engine: AsyncEngine) -> None:
    issued = an_issued_key()
    await keys.add(issued.key, live_at_most=2)
    secret = issued.text.rpartition("_")[2]
    async with engine.connect() as connection:
        (row,) = (await connection.execute(text("SELECT api_keys::text FROM api_keys"))).scalars()
    assert issued.key.prefix in row
    assert secret not in row
