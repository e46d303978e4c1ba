"""UnitOfWork in memory, with real rollback and as many open transactions as a test likes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.ports.unit_of_work import Transaction, UnitOfWork
from fakes.announcements import InMemoryAnnouncements
from fakes.document_repo import InMemoryDocumentRepo
from fakes.failure_log import InMemoryFailureLog
from fakes.idempotency_log import InMemoryIdempotencyLog
from fakes.index_registry import InMemoryIndexRegistry
from fakes.outbox import InMemoryOutbox
from fakes.program_repo import InMemoryProgramRepo
from fakes.registry import InMemoryRegistry
from fakes.upload_log import InMemoryUploadLog
from fakes.use_repo import InMemoryUseRepo


class InMemoryUnitOfWork(UnitOfWork):
    def __init__(self, registry: InMemoryRegistry | None = None) -> None:
        self.registry = registry or InMemoryRegistry()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Copy on begin; the rows that changed are merged at a normal end."""
        since = self.registry.committed.copy()
        tables = since.copy()
        outbox = InMemoryOutbox(self.registry, tables)
        try:
            yield Transaction(
                announcements=InMemoryAnnouncements(self.registry, tables),
                programs=InMemoryProgramRepo(self.registry, tables),
                documents=InMemoryDocumentRepo(self.registry, tables),
                failures=InMemoryFailureLog(self.registry, tables),
                indexes=InMemoryIndexRegistry(self.registry, tables),
                outbox=outbox,
                uploads=InMemoryUploadLog(self.registry, tables),
                uses=InMemoryUseRepo(self.registry, tables),
                idempotency=InMemoryIdempotencyLog(self.registry, tables),
            )
            self.registry.commit(tables, since=since)
        finally:
            outbox.unlock()
