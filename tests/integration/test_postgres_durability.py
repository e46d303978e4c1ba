"""Whether a Postgres keeps what it committed is asked of real ones."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.durability import weakened_settings
from adapters.postgres.engine import create_engine
from builders.real_servers import RealServer
from entrypoints.embedded.ports import free_port
from entrypoints.embedded.postgres import PostgresServer


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """One that is set up as the product's own is, or as quick ones of tests are."""
    with TemporaryDirectory(prefix="ladderbase-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # enough for the account that Postgres runs as
        server = RealServer(
            PostgresServer(
                folder=folder / "postgres",
                port=free_port(),
                password=secrets.token_hex(8),
                log=folder / "postgres.log",
                durable=request.param,
            )
        )
        server.start_blocking()
        yield server
        server.kill()


@pytest.fixture
async def engine(server: RealServer) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(server.url)
    yield engine
    await engine.dispose()


@pytest.mark.parametrize("server", [True], indirect=True)
async def test_the_products_own_server_keeps_everything_until_somebody_says_otherwise(engine: AsyncEngine) -> None:
    assert await weakened_settings(engine) == []
    for value, weakened in (("local", []), ("off", ["synchronous_commit"])):
        async with engine.begin() as connection:
            await connection.execute(text(f"ALTER DATABASE postgres SET synchronous_commit TO {value}"))
        await engine.dispose()  # what is set holds for new sessions
        assert await weakened_settings(engine) == weakened


@pytest.mark.parametrize("server", [False], indirect=True)
async def test_a_server_without_fsync_is_told_by_that(engine: AsyncEngine) -> None:
    assert await weakened_settings(engine) == ["fsync"]
