"""The queries that run all day go by an index, whatever has piled up, and before statistics were taken too."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.tables import metadata
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from builders.plans import left_alone, plan_of, plans_of, vacuumed
from contracts.failure_log import a_failed_attempt, record, trim
from contracts.outbox import claim, commit, forget_done
from contracts.records import (
    CREATED,
    a_chunk,
    a_document,
    documents_registered,
    indexed,
    mark_indexed,
    program_deleted,
    register,
)
from domain.document import DocumentState
from domain.index_key import IndexKey
from domain.ports.catalogue import ProgramFilter, ProgramSort
from domain.ports.embedder import EmbeddingModel
from domain.program import ProgramStatus

NEWEST = ProgramSort.NEWEST
FILTERS = [
    (ProgramFilter(), ProgramSort.OLDEST, "on programs"),
    (ProgramFilter(), ProgramSort.NAME, "programs_name_key_idx"),
    (ProgramFilter(pgm_id="PGM_500"), NEWEST, "programs_pkey"),
    (ProgramFilter(create_user="nobody"), NEWEST, "programs_create_user_idx"),
    (ProgramFilter(created_from=CREATED + timedelta(days=1)), NEWEST, "programs_create_dt_idx"),
    (ProgramFilter(folder="nowhere"), NEWEST, "template_rows_folder_id_idx"),
    (ProgramFilter(folder="nowhere"), ProgramSort.NAME, "template_rows_folder_name_idx"),
    (ProgramFilter(name="3"), NEWEST, "on programs"),
    *((ProgramFilter(status=status), NEWEST, "documents_") for status in ProgramStatus),
]


@pytest.fixture
async def engine(migrated_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(migrated_database_url)
    await left_alone(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def unit_of_work(engine: AsyncEngine) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(engine)


async def test_a_claim_reads_the_pending_alone(unit_of_work: PostgresUnitOfWork, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (kind, payload, done_at) SELECT 'program_deleted', '{}', now()"
                " FROM generate_series(1, 20000)"
            )
        )
    await commit(unit_of_work, program_deleted())
    plan = await plan_of(engine, claim(unit_of_work, 200))
    assert "outbox_pending_idx" in plan
    assert "Seq Scan on outbox" not in plan


async def test_a_million_done_events_slow_down_neither_a_claim_nor_the_sweep(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    for first in range(1, 1_000_001, 25_000):  # a statement has ten seconds
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO outbox (kind, payload, done_at)"
                    " SELECT 'program_deleted', '{}', now() - number * interval '1 second'"
                    " FROM generate_series(CAST(:first AS int), :first + 24999) AS number"
                ),
                {"first": first},
            )
    await commit(unit_of_work, program_deleted())
    for is_analysed in (False, True):
        if is_analysed:
            async with engine.begin() as connection:
                await connection.execute(text("ANALYZE outbox"))
        claiming = await plan_of(engine, claim(unit_of_work, 200))
        assert "outbox_pending_idx" in claiming
        assert "Seq Scan on outbox" not in claiming
        sweeping = await plans_of(engine, forget_done(unit_of_work, timedelta(days=7), limit=5_000))
        assert "outbox_done_idx" in sweeping
        assert "Seq Scan on outbox" not in sweeping
    async with engine.connect() as connection:
        kept = (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one()
    assert kept == 1_000_001 - 2 * 5_000


async def test_a_claim_is_quick_behind_many_delayed_events(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (kind, payload, next_attempt_at)"
                " SELECT 'program_deleted', '{}', now() + interval '1 hour' FROM generate_series(1, 20000)"
            )
        )
    [event_id] = await commit(unit_of_work, program_deleted())
    assert [event.event_id for event in await claim(unit_of_work, 200)] == [event_id]
    assert "Index Cond: (next_attempt_at <= statement_timestamp())" in await plan_of(engine, claim(unit_of_work, 200))


async def test_a_search_reads_the_chunks_that_it_asks_for_alone(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    for number in range(1, 21):
        pgm_id = f"PGM_{number}"
        documents = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(50)]
        await register(unit_of_work, *documents, pgm_id=pgm_id)
        await mark_indexed(unit_of_work, *(indexed(each, a_chunk(0), a_chunk(1)) for each in documents))
    asked = [f"PGM_7.r1.{ordinal}.g1.0" for ordinal in range(10)]
    catalogue = PostgresCatalogue(engine)
    assert len(await catalogue.visible_chunks(asked)) == 10
    for is_analysed in (False, True):
        if is_analysed:
            async with engine.begin() as connection:
                await connection.execute(text("ANALYZE"))
        plan = await plan_of(engine, catalogue.visible_chunks(asked))
        assert "chunks_pkey" in plan
        assert "documents_pkey" in plan


@pytest.mark.timeout(300)  # 645,000 rows are made for it
async def test_listings_of_a_thousand_programs_go_by_an_index(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    """With 645 documents each; their pages are read where they begin, at the end as at the start."""
    await a_thousand_programs(unit_of_work, engine)
    catalogue = PostgresCatalogue(engine)
    first = await catalogue.programs(limit=50)
    assert first.next_cursor is not None
    page = await catalogue.documents("PGM_500", limit=100)
    assert page.next_cursor is not None
    for is_analysed in (False, True):
        if is_analysed:
            await vacuumed(engine)
        for name, query, index in (
            ("list", catalogue.programs(limit=50), "on programs"),  # by either index that has the numbers in order
            ("its next page", catalogue.programs(limit=50, cursor=first.next_cursor), "on programs"),
            ("detail", catalogue.program("PGM_500"), "programs_pkey"),
            ("documents", catalogue.documents("PGM_500", limit=100), "Index Scan using documents_"),
            (
                "their next page",
                catalogue.documents("PGM_500", limit=100, cursor=page.next_cursor),
                "Index Scan using documents_",
            ),
            ("tree", catalogue.template("PGM_500"), "template_rows_pkey"),
            ("failures", catalogue.failures("PGM_500", limit=100), "documents_state_idx"),
        ):
            plan = await plan_of(engine, query)
            if is_analysed:  # before, one program's documents or the page's programs may be sorted
                assert index in plan, f"{name}: {plan}"
                assert "Sort Key: programs" not in plan, f"{name}: {plan}"
            for table in ("programs", "documents", "template_rows"):
                assert f"Seq Scan on {table}" not in plan, f"{name}: {plan}"
    for only, sort, index in FILTERS:
        listing = f"{only} {sort}"
        plan = await plan_of(engine, catalogue.programs(limit=50, only=only, sort=sort))
        assert index in plan, f"{listing}: {plan}"
        counting = await plan_of(engine, catalogue.count_programs(only))
        for table in ("documents", "template_rows"):  # a thousand programs may be read: 645,000 rows of theirs may not
            assert f"Seq Scan on {table}" not in plan + counting, f"{listing}: {plan} {counting}"
    counting = await plans_of(engine, catalogue.statistics())
    assert "Index Only Scan using documents_state_idx" in counting
    assert "Seq Scan on documents" not in counting


@pytest.mark.parametrize("waiting", [0, 640])
async def test_an_overview_reads_no_table_that_grows(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine, waiting: int
) -> None:
    """Documents are counted by an index alone; of the outbox and of the documents only what is not done is read."""
    await many_documents(unit_of_work, engine, indexed_ones=20_000, waiting=waiting)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO outbox (kind, payload, done_at) SELECT 'documents_registered', '{}', now()"
                " FROM generate_series(1, 20000)"
            )
        )
    await vacuumed(engine)
    operations = PostgresOperations(engine)
    plans = await plans_of(engine, operations.overview())
    assert "Index Only Scan using documents_state_idx" in plans
    assert "outbox_pending_idx" in plans
    assert "outbox_dead_idx" in plans
    for table in ("documents", "outbox"):
        assert f"Seq Scan on {table}" not in plans
    failed = await plans_of(engine, operations.programs_with_failures(limit=20))
    assert "documents_state_idx" in failed
    assert "Seq Scan on documents" not in failed


async def test_the_history_of_a_program_is_read_by_its_own_rows(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    for number in range(1, 21):
        await register(unit_of_work, pgm_id=f"PGM_{number}")
        await record(unit_of_work, *[a_failed_attempt(pgm_id=f"PGM_{number}")] * 1_000)
    await vacuumed(engine)
    plan = await plan_of(engine, PostgresOperations(engine).failures("PGM_7", limit=50))
    assert "failures_pgm_id_idx" in plan
    assert "Seq Scan on failures" not in plan


async def test_a_trim_reads_the_histories_of_those_that_failed_lately_alone(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine
) -> None:
    """And the history of none by more than it may keep, unless it is to be cut."""
    for number in range(1, 61):
        await register(unit_of_work, pgm_id=f"PGM_{number}")
        await record(unit_of_work, *[a_failed_attempt(pgm_id=f"PGM_{number}")] * 1_000)
    for is_analysed in (False, True):
        if is_analysed:
            await vacuumed(engine)
        plan = await plans_of(engine, trim(unit_of_work, keep=1_000, limit=5_000))
        assert "failures_pkey" in plan
        assert "failures_pgm_id_idx" in plan
        assert "Seq Scan on failures" not in plan
    await record(unit_of_work, a_failed_attempt(pgm_id="PGM_60"))
    assert await trim(unit_of_work, keep=1_000, limit=5_000) == 1


async def a_thousand_programs(unit_of_work: PostgresUnitOfWork, engine: AsyncEngine) -> None:
    """One is registered, 999 are copies of it."""
    documents = [a_document(ordinal, state=DocumentState.INDEXED) for ordinal in range(645)]
    await register(unit_of_work, *documents)
    changed = {
        '"pgm_id"': "'PGM_' || number",
        '"pgm_number"': "number",
        '"document_id"': "'PGM_' || number || '.r1.' || ordinal",
    }
    for first in range(2, 1_000, 37):  # a statement has ten seconds
        async with engine.begin() as connection:
            for table in ("programs", "revisions", "documents", "template_rows"):
                names = [column.name for column in metadata.tables[table].c if column.computed is None]
                copied = ", ".join(changed.get(name, name) for name in quoted(names))
                numbers = f"generate_series({first}, least({first + 36}, 1000)) AS number"
                source = f"SELECT {copied} FROM {table}, {numbers} WHERE pgm_id = 'PGM_1'"  # noqa: S608 - our own
                await connection.execute(text(f"INSERT INTO {table} ({', '.join(quoted(names))}) {source}"))


def quoted(names: list[str]) -> list[str]:
    """One column is called `row`."""
    return [f'"{name}"' for name in names]


async def many_documents(
    unit_of_work: PostgresUnitOfWork, engine: AsyncEngine, *, indexed_ones: int, waiting: int
) -> None:
    documents = [a_document(ordinal) for ordinal in range(waiting)]
    await register(unit_of_work, *documents)
    await register(
        unit_of_work,
        *(a_document(ordinal, pgm_id="PGM_2", state=DocumentState.INDEXED) for ordinal in range(indexed_ones)),
        pgm_id="PGM_2",
    )
    starts = range(0, waiting, 64)
    await commit(unit_of_work, *(documents_registered(*documents[start : start + 64]) for start in starts))
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.adopt(IndexKey(model=EmbeddingModel(name="m", dimension=8), rendering_version=1))
