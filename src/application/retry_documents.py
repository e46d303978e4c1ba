"""Give documents back to the workers: those that failed, or whatever the operator names."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from domain.document import Document, DocumentState, DocumentType
from domain.errors import NotFoundError
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import events_for


class Include(StrEnum):
    """Documents in which state are given back."""

    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryCommand:
    """Which documents of a program: those that are named, else all of it."""

    pgm_id: str
    document_ids: tuple[str, ...] | None = None
    include: Include = Include.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDocuments:
    """Legal in every state of a document: the generation is raised, so that whoever is at it now is refused.

    Two at once give each document back once. What is retried is in no answer until it is indexed again.
    """

    unit_of_work: UnitOfWork
    indexed_types: AbstractSet[DocumentType]

    async def __call__(self, command: RetryCommand) -> int:
        """How many documents were given back. Raises NotFoundError for a program or a document: then none was."""
        async with self.unit_of_work.begin() as transaction:
            documents = await transaction.documents.of_program(command.pgm_id)
            chosen = self._chosen(documents, command)
            restarted = await transaction.documents.restart([document.ref for document in chosen])
            again = {ref.document_id: ref for ref in restarted}
            sized = [(again[each.document_id], each) for each in chosen if each.document_id in again]
            for revision, of_revision in groupby(sized, key=lambda pair: pair[1].revision):
                template = await transaction.programs.template_of(command.pgm_id, revision)
                await transaction.outbox.add(events_for(of_revision, pgm_id=command.pgm_id, template=template))
        return len(restarted)

    def _chosen(self, documents: Sequence[Document], command: RetryCommand) -> list[Document]:
        """Never a document that has nothing to index: nobody would ever finish it."""
        named = frozenset(command.document_ids) if command.document_ids is not None else None
        if unknown := sorted((named or frozenset()) - {document.document_id for document in documents}):
            raise NotFoundError("document", unknown[0])
        return [
            document
            for document in documents
            if document.document_type in self.indexed_types
            and (named is None or document.document_id in named)
            and (command.include is Include.ALL or document.state is DocumentState.FAILED)
        ]
