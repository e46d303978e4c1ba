"""The migrations make what the tables say, climb up and down, and can be started by two processes at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.device_catalogue import PostgresDeviceCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.migrations_runner import downgrade, is_current, upgrade
from adapters.postgres.tables import metadata
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from contracts.devices import indexed
from contracts.further_documents import put
from contracts.records import a_document, register
from domain.device_query import wanted_device
from domain.document import DocumentState
from domain.errors import UnavailableError

# Everything that a schema is made of, in words that two databases can be compared by.
_SCHEMA = text("""
    SELECT 'column', c.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull,
           a.attidentity, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d
         ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S') AND a.attnum > 0
      AND c.relname <> 'alembic_version'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    UNION ALL
    SELECT 'sequence', sequencename, data_type::text, concat_ws(' ', start_value, increment_by, cycle)
    FROM pg_sequences WHERE schemaname = 'public'
    ORDER BY 1, 2, 3
""")


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(empty_database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def migrated(migrated_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(migrated_database_url)
    yield engine
    await engine.dispose()


async def test_the_migrations_make_what_the_tables_say(migrated: AsyncEngine, empty: AsyncEngine) -> None:
    async with empty.begin() as connection:
        await connection.run_sync(metadata.create_all)
    assert await schema_of(migrated) == await schema_of(empty)


async def test_the_stairs_can_be_climbed_up_down_and_up(empty: AsyncEngine, empty_database_url: str) -> None:
    await upgrade(empty_database_url)
    first = await schema_of(empty)
    await downgrade(empty_database_url)
    assert await schema_of(empty) == []
    await upgrade(empty_database_url)
    assert await schema_of(empty) == first


async def test_a_database_is_current_only_after_the_migrations(empty: AsyncEngine, empty_database_url: str) -> None:
    assert not await is_current(empty)
    await upgrade(empty_database_url)
    assert await is_current(empty)
    await downgrade(empty_database_url)
    assert not await is_current(empty)


async def test_migrating_a_current_database_changes_nothing(migrated: AsyncEngine, migrated_database_url: str) -> None:
    before = await schema_of(migrated)
    await upgrade(migrated_database_url)
    assert await schema_of(migrated) == before


async def test_a_newer_schema_is_left_alone_and_served(migrated: AsyncEngine, migrated_database_url: str) -> None:
    async with migrated.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'of a later version'"))
    before = await schema_of(migrated)
    await upgrade(migrated_database_url)
    assert await is_current(migrated)
    assert await schema_of(migrated) == before


async def test_two_that_migrate_at_once_take_turns(empty: AsyncEngine, empty_database_url: str) -> None:
    await asyncio.gather(*(upgrade(empty_database_url) for _ in range(4)))
    assert await is_current(empty)


async def test_a_migration_does_not_wait_long_for_a_busy_table(
    migrated: AsyncEngine, migrated_database_url: str
) -> None:
    before = await schema_of(migrated)
    async with migrated.begin() as connection:
        await connection.execute(text("LOCK TABLE chunks IN ACCESS SHARE MODE"))
        with pytest.raises(UnavailableError, match="lock"):
            await downgrade(migrated_database_url)
    assert await schema_of(migrated) == before


async def test_what_was_indexed_before_uses_were_recorded_lacks_them_and_nothing_else(
    empty: AsyncEngine, empty_database_url: str
) -> None:
    """The schema of the version before, with an indexed document in it; the worker of this one then reads it again."""
    await upgrade(empty_database_url)
    document = a_document(state=DocumentState.INDEXED)
    unit_of_work, devices = PostgresUnitOfWork(empty), PostgresDeviceCatalogue(empty)
    await register(unit_of_work, document)
    await downgrade(empty_database_url, "0008")
    await upgrade(empty_database_url)
    async with unit_of_work.begin() as transaction:
        assert await transaction.uses.lacking(limit=10) == [document]
    assert not await devices.is_complete("PGM_1")
    async with unit_of_work.begin() as transaction:
        await transaction.uses.record([indexed(document, "LD M1")])
        assert await transaction.documents.current([document.ref]) == {document.ref}
    assert await devices.is_complete("PGM_1")
    assert len((await devices.uses(wanted_device("M1"), limit=10)).items) == 1


async def test_a_step_down_takes_further_documents_along_and_leaves_the_others(
    empty: AsyncEngine, empty_database_url: str
) -> None:
    await upgrade(empty_database_url)
    unit_of_work, catalogue = PostgresUnitOfWork(empty), PostgresCatalogue(empty)
    await register(unit_of_work, a_document())
    await put(unit_of_work)
    await downgrade(empty_database_url, "0011")
    await upgrade(empty_database_url)
    assert (await catalogue.documents("PGM_1", limit=9)).items == (a_document(),)


async def schema_of(engine: AsyncEngine) -> list[tuple[str, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(_SCHEMA)]
