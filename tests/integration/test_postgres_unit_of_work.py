"""The record on Postgres keeps the promises of its ports."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.audit_log import PostgresAuditLog
from adapters.postgres.backlog import PostgresBacklog
from adapters.postgres.catalogue import PostgresCatalogue
from adapters.postgres.device_catalogue import PostgresDeviceCatalogue
from adapters.postgres.engine import create_engine
from adapters.postgres.inventory import PostgresInventory
from adapters.postgres.operations import PostgresOperations
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.progress import PostgresProgress
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from contracts.audit_log import AuditLogContract
from contracts.backlog import BacklogContract
from contracts.catalogue import CatalogueContract, ReopenDocument
from contracts.devices import DevicesContract
from contracts.inventory import InventoryContract
from contracts.operations import OperationsContract
from contracts.outbox import begun, claim, commit, start
from contracts.ownership import OwnershipContract
from contracts.progress import ProgressContract
from contracts.records import a_document, program_deleted, register
from contracts.unit_of_work import UnitOfWorkContract
from domain.document import DocumentState


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def unit_of_work(engine: AsyncEngine) -> PostgresUnitOfWork:
    return PostgresUnitOfWork(engine)


@pytest.fixture
def catalogue(engine: AsyncEngine) -> PostgresCatalogue:
    return PostgresCatalogue(engine)


@pytest.fixture
def operations(engine: AsyncEngine) -> PostgresOperations:
    return PostgresOperations(engine)


@pytest.fixture
def backlog(engine: AsyncEngine) -> PostgresBacklog:
    return PostgresBacklog(engine)


@pytest.fixture
def time_passes(engine: AsyncEngine) -> Callable[[timedelta], Awaitable[None]]:
    """The server's clock cannot be moved; its record of the past can."""

    async def pass_by(by: timedelta) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE outbox SET next_attempt_at = next_attempt_at - CAST(:by AS interval),"
                    " created_at = created_at - CAST(:by AS interval), done_at = done_at - CAST(:by AS interval)"
                ),
                {"by": by},
            )
            await connection.execute(
                text("UPDATE uploads SET started_at = started_at - CAST(:by AS interval)"), {"by": by}
            )
            await connection.execute(
                text("UPDATE idempotency_keys SET created_at = created_at - CAST(:by AS interval)"), {"by": by}
            )
            await connection.execute(
                text("UPDATE vector_indexes SET builder_until = builder_until - CAST(:by AS interval)"), {"by": by}
            )
            await connection.execute(
                text(
                    "UPDATE audits SET started_at = started_at - CAST(:by AS interval),"
                    " ended_at = ended_at - CAST(:by AS interval)"
                ),
                {"by": by},
            )

    return pass_by


@pytest.fixture
def spoil_event(engine: AsyncEngine) -> Callable[[int], Awaitable[None]]:
    async def spoil(event_id: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text('UPDATE outbox SET payload = \'{"schema": 1, "documents": {}}\' WHERE event_id = :id'),
                {"id": event_id},
            )

    return spoil


@pytest.fixture
def write_as_newer(engine: AsyncEngine) -> Callable[[int], Awaitable[None]]:
    async def write(event_id: int) -> None:
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE outbox SET payload = '{\"schema\": 99}' WHERE event_id = :id"), {"id": event_id}
            )

    return write


class TestPostgresUnitOfWork(UnitOfWorkContract):
    pass


class TestPostgresOperations(OperationsContract):
    pass


class TestPostgresInventory(InventoryContract):
    @pytest.fixture
    def inventory(self, engine: AsyncEngine) -> PostgresInventory:
        return PostgresInventory(engine)


class TestPostgresDevices(DevicesContract):
    @pytest.fixture
    def devices(self, engine: AsyncEngine) -> PostgresDeviceCatalogue:
        return PostgresDeviceCatalogue(engine)

    @pytest.fixture
    def age_uses(self, engine: AsyncEngine) -> Callable[..., Awaitable[None]]:
        async def age(document_id: str, version: int = 0) -> None:
            async with engine.begin() as connection:
                await connection.execute(
                    text("UPDATE used_documents SET uses_version = :version WHERE document_id = :id"),
                    {"id": document_id, "version": version},
                )

        return age


class TestPostgresAuditLog(AuditLogContract):
    @pytest.fixture
    def audit_log(self, engine: AsyncEngine) -> PostgresAuditLog:
        return PostgresAuditLog(engine)


class TestPostgresOwnership(OwnershipContract):
    @pytest.fixture
    def ownership(self, engine: AsyncEngine) -> PostgresOwnership:
        return PostgresOwnership(engine)


class TestPostgresProgress(ProgressContract):
    @pytest.fixture
    def progress(self, engine: AsyncEngine) -> PostgresProgress:
        return PostgresProgress(engine)


class TestPostgresBacklog(BacklogContract):
    pass


class TestPostgresCatalogue(CatalogueContract):
    @pytest.fixture
    def reopen_document(self, engine: AsyncEngine) -> ReopenDocument:
        async def reopen(document_id: str, generation: int, state: DocumentState) -> None:
            async with engine.begin() as connection:
                await connection.execute(
                    text("UPDATE documents SET generation = :generation, state = :state WHERE document_id = :id"),
                    {"generation": generation, "state": state.value, "id": document_id},
                )

        return reopen


@pytest.mark.parametrize("document_type", ["", "pgm_notes_txt", "PGM NOTES", "1_NOTES"])
async def test_a_document_type_of_tomorrow_needs_no_migration_and_what_looks_like_none_is_refused(
    engine: AsyncEngine, unit_of_work: PostgresUnitOfWork, document_type: str
) -> None:
    await register(unit_of_work, a_document())
    change = text("UPDATE documents SET document_type = :document_type")
    async with engine.begin() as connection:
        await connection.execute(change, {"document_type": "PGM_NOTES_TXT"})
    with pytest.raises(IntegrityError, match="documents_document_type_check"):
        async with engine.begin() as connection:
            await connection.execute(change, {"document_type": document_type})


@pytest.mark.parametrize("written", ['["a list"]', '{"request_id": 7}', "{}"])
async def test_an_event_comes_back_with_where_it_came_from_and_an_odd_origin_is_none(
    engine: AsyncEngine, written: str
) -> None:
    said = PostgresUnitOfWork(engine, origin=lambda: {"request_id": "r-1", "traceparent": "00-x"})
    assert (await begun(said)).origin == {"request_id": "r-1", "traceparent": "00-x"}
    (event_id,) = await commit(said, program_deleted())
    async with engine.begin() as connection:
        change = text("UPDATE outbox SET trace_context = CAST(:written AS jsonb) WHERE event_id = :id")
        await connection.execute(change, {"written": written, "id": event_id})
    (claimed,) = await claim(said, 1)
    assert (await start(said, claimed)).origin == {}
