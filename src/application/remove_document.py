"""Remove a further document: out of every answer at once, purged everywhere by the worker."""

from dataclasses import dataclass

from application.add_document import removal_of
from domain.document import DocumentState
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import prefix_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDocument:
    """Its row goes, and the event comes, in one transaction; whoever indexes it meanwhile finds it gone.

    It may have been the last one that was not indexed: then the program is, and webhooks are told.
    """

    unit_of_work: UnitOfWork

    async def __call__(self, pgm_id: str, document_id: str) -> None:
        """Raises NotFoundError, and NotRemovableError for a document that came with its program's files."""
        async with self.unit_of_work.begin() as transaction:
            await transaction.announcements.hold(pgm_id)
            document = await transaction.documents.remove_further(pgm_id, document_id)
            await transaction.uploads.take_unowned(prefix_of(document.blob_key))  # the sweeper knows of it, too
            await transaction.outbox.add([removal_of(document)])
            if document.state is not DocumentState.INDEXED:
                await transaction.announcements.ended(pgm_id)
