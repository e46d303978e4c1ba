"""What every UnitOfWork promises, with its repositories."""

from contracts.document_repo import DocumentRepoContract
from contracts.failure_log import FailureLogContract
from contracts.further_documents import FurtherDocumentsContract
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
    FurtherDocumentsContract,
    IndexRegistryContract,
    OutboxContract,
    UploadLogContract,
    IdempotencyLogContract,
    FailureLogContract,
):
    """Needs the fixtures `unit_of_work`, `catalogue`, `operations`, `time_passes`, `spoil_event`, over one record."""
