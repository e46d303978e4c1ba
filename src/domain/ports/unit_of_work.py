"""One transaction over the system of record."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.ports.announcements import Announcements
from domain.ports.document_repo import DocumentRepo
from domain.ports.failure_log import FailureLog
from domain.ports.idempotency_log import IdempotencyLog
from domain.ports.index_registry import IndexRegistry
from domain.ports.outbox import Outbox
from domain.ports.program_repo import ProgramRepo
from domain.ports.upload_log import UploadLog
from domain.ports.use_repo import UseRepo


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The repositories of one open transaction."""

    announcements: Announcements
    programs: ProgramRepo
    documents: DocumentRepo
    failures: FailureLog
    indexes: IndexRegistry
    outbox: Outbox
    uploads: UploadLog
    uses: UseRepo
    idempotency: IdempotencyLog


class UnitOfWork(Protocol):
    """Opens transactions. Nothing outside the system of record is called inside one."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A normal end commits, an exception rolls back; UnavailableError when the database cannot answer."""
        ...
