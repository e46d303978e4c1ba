"""UnitOfWork on Postgres."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.announcements import PostgresAnnouncements
from adapters.postgres.document_repo import PostgresDocumentRepo
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.failure_log import PostgresFailureLog
from adapters.postgres.idempotency_log import PostgresIdempotencyLog
from adapters.postgres.index_registry import PostgresIndexRegistry
from adapters.postgres.outbox import Origin, PostgresOutbox
from adapters.postgres.program_repo import PostgresProgramRepo
from adapters.postgres.upload_log import PostgresUploadLog
from adapters.postgres.use_repo import PostgresUseRepo
from domain.ports.unit_of_work import Transaction, UnitOfWork


class PostgresUnitOfWork(UnitOfWork):
    """Transactions at READ COMMITTED, one connection of the pool each; `origin` says where events come from."""

    def __init__(self, engine: AsyncEngine, *, origin: Origin = dict) -> None:
        self._engine = engine
        self._origin = origin

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """See the port. When the answer to COMMIT is lost, UnavailableError says nothing about its outcome."""
        with translated_errors():
            async with self._engine.begin() as connection:
                yield Transaction(
                    announcements=PostgresAnnouncements(connection),
                    programs=PostgresProgramRepo(connection),
                    documents=PostgresDocumentRepo(connection),
                    failures=PostgresFailureLog(connection),
                    indexes=PostgresIndexRegistry(connection),
                    outbox=PostgresOutbox(connection, self._origin),
                    uploads=PostgresUploadLog(connection),
                    uses=PostgresUseRepo(connection),
                    idempotency=PostgresIdempotencyLog(connection),
                )
