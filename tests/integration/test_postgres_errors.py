"""What goes wrong with Postgres comes out as an error of ours, in time and without secrets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.connection_url import asyncpg_dsn
from adapters.postgres.engine import create_engine
from adapters.postgres.migrations_runner import is_current
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from contracts.records import a_document, indexed, mark_indexed, register
from domain.errors import MisconfiguredError, UnavailableError


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def open_engine(url: str, **options: Any) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url, **options)
    try:
        yield engine
    finally:
        await engine.dispose()


async def test_no_server_means_unavailable(unused_tcp_port: int) -> None:
    async with open_engine(f"postgresql://u:s3cret@127.0.0.1:{unused_tcp_port}/d") as engine:
        with pytest.raises(UnavailableError) as caught:
            await PostgresCatalogue(engine).programs(limit=1)
        assert "s3cret" not in str(caught.value)
        with pytest.raises(UnavailableError):
            await register(PostgresUnitOfWork(engine))
        with pytest.raises(UnavailableError):
            await is_current(engine)


async def test_a_silent_server_means_unavailable_within_the_connect_timeout() -> None:
    async with swallowing_server() as port, open_engine(silent(port), connect_timeout_s=0.3) as engine:
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            await PostgresCatalogue(engine).programs(limit=1)
        assert time.monotonic() - began < 2.9


async def test_an_unknown_database_is_a_mistake_in_the_settings(database_url: str) -> None:
    async with open_engine(f"{database_url}_not") as engine:
        with pytest.raises(MisconfiguredError):
            await PostgresCatalogue(engine).programs(limit=1)


@pytest.mark.parametrize("url", ["", "mysql://u:s3cret@h/d", "postgresql://u:s3cret@h:port/d", "s3cret"])
async def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        create_engine(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_every_usual_scheme_is_understood(database_url: str, scheme: str) -> None:
    url = f"{scheme}://{database_url.partition('://')[2]}"
    async with open_engine(url) as engine:
        await PostgresCatalogue(engine).programs(limit=1)
    assert asyncpg_dsn(f"{url}?sslmode=disable").endswith("?sslmode=disable")


async def test_a_connection_cut_in_mid_transaction_means_unavailable_and_then_works_again(engine: AsyncEngine) -> None:
    unit_of_work = PostgresUnitOfWork(engine)
    with pytest.raises(UnavailableError):  # noqa: PT012 - the cut is what the transaction must notice
        async with unit_of_work.begin() as transaction:
            await transaction.programs.next_pgm_id()
            await cut_all_others(engine)
            await transaction.programs.next_pgm_id()
    await register(unit_of_work)


async def test_idle_connections_that_were_cut_are_not_noticed(engine: AsyncEngine) -> None:
    catalogue = PostgresCatalogue(engine)
    await asyncio.gather(*(catalogue.programs(limit=1) for _ in range(4)))
    await cut_all_others(engine)
    assert (await catalogue.programs(limit=1)).items == ()


async def test_an_exhausted_pool_means_unavailable_within_the_wait(database_url: str) -> None:
    async with open_engine(database_url, pool_size=1, pool_wait_s=0.2) as engine, engine.connect():
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="pool"):
            await PostgresCatalogue(engine).programs(limit=1)
        assert time.monotonic() - began < 1


async def test_a_lock_that_does_not_come_free_means_unavailable(engine: AsyncEngine, database_url: str) -> None:
    await register(PostgresUnitOfWork(engine), a_document())
    async with open_engine(database_url, lock_timeout_s=0.2) as impatient, engine.begin() as holder:
        await holder.execute(text("SELECT FROM documents FOR UPDATE"))
        with pytest.raises(UnavailableError, match="lock"):
            await mark_indexed(PostgresUnitOfWork(impatient), indexed(a_document()))


async def test_a_statement_that_takes_too_long_means_unavailable(database_url: str) -> None:
    async with open_engine(database_url, statement_timeout_s=0.2) as engine:
        catalogue = PostgresCatalogue(engine)
        async with open_engine(database_url) as other, other.begin() as holder:
            await holder.execute(text("LOCK TABLE programs IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(UnavailableError, match="too long"):
                await catalogue.programs(limit=1)


async def cut_all_others(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
        )


def silent(port: int) -> str:
    return f"postgresql://u@127.0.0.1:{port}/d"


@asynccontextmanager
async def swallowing_server() -> AsyncIterator[int]:
    """Accepts and never answers."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: connections.append(writer), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in connections:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_a_server_that_falls_silent_in_mid_transaction_means_unavailable(database_url: str) -> None:
    async with (
        silenceable(database_url) as (url, silence),
        open_engine(url, statement_timeout_s=0.3, client_grace_s=0.2) as engine,
    ):
        began = time.monotonic()
        with pytest.raises(UnavailableError):  # noqa: PT012 - the silence is what the transaction must notice
            async with PostgresUnitOfWork(engine).begin() as transaction:
                await transaction.programs.next_pgm_id()
                silence()
                await transaction.programs.next_pgm_id()
        assert time.monotonic() - began < 5


@asynccontextmanager
async def silenceable(database_url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A way to the server that drops every byte once it is silenced, as a network does that loses its route."""
    target = make_url(database_url)
    silenced = asyncio.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while read := await reader.read(65_536):
            if not silenced.is_set():
                writer.write(read)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(target.host, target.port)
        await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False), silenced.set
    finally:
        server.close()
        await server.wait_closed()


async def test_a_database_that_was_not_migrated_is_waited_for(empty_database_url: str) -> None:
    async with open_engine(empty_database_url) as engine:
        with pytest.raises(UnavailableError, match="ladderbase migrate"):
            await PostgresCatalogue(engine).programs(limit=1)
