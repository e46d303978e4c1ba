"""What every UnitOfWork promises, with its repositories."""

from contracts.document_repo import DocumentRepoContract
from contracts.idempotency_log import IdempotencyLogContract
from contracts.index_registry import IndexRegistryContract
from contracts.outbox import OutboxContract
from contracts.program_repo import ProgramRepoContract
from contracts.revisions import RevisionsContract
from contracts.upload_log import UploadLogContract


class UnitOfWorkContract(
    ProgramRepoContract,
    RevisionsContract,
    DocumentRepoContract,
    IndexRegistryContract,
    OutboxContract,
    UploadLogContract,
    IdempotencyLogContract,
):
    """Needs the fixtures `unit_of_work`, `catalogue`, `time_passes` and `spoil_event`, all over one record."""
