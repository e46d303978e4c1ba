"""Whether an upload is indexed before its answer, and what its documents look like afterwards."""

import logging
from dataclasses import dataclass
from typing import Literal

from application.add_document import AddedDocument
from application.index_registered import IndexRegistered
from application.register_program import Registered
from domain.document import Document
from domain.errors import LadderbaseError
from domain.ports.catalogue import Catalogue
from domain.program import Program

_PAGE = 200
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """`index_registered` is None where the worker indexes in the background."""

    index_registered: IndexRegistered | None

    @property
    def processing(self) -> Literal["background", "inline"]:
        """The mode in the wire format's word."""
        return "background" if self.index_registered is None else "inline"

    async def document_after(self, added: AddedDocument, catalogue: Catalogue) -> Document:
        """A further document as the answer shows it; it is added whatever happens here."""
        if self.index_registered is None:
            return added.document
        try:
            await self.index_registered(added.held)
            return await catalogue.document(added.document.document_id)
        except LadderbaseError as error:
            _log.warning("left to a worker: %s", error)
            return added.document

    async def documents_after(self, registered: Registered, catalogue: Catalogue) -> tuple[Document, ...]:
        """The registered documents as the answer shows them.

        The program is registered whatever happens here: what is not indexed now, a worker will index.
        """
        if self.index_registered is None:
            return registered.registration.documents
        try:
            await self.index_registered(registered.held)
            return await _all_documents(registered.registration.program, catalogue)
        except LadderbaseError as error:
            _log.warning("left to a worker: %s", error)
            return registered.registration.documents


async def _all_documents(program: Program, catalogue: Catalogue) -> tuple[Document, ...]:
    page = await catalogue.documents(program.pgm_id, limit=_PAGE, revision=program.revision)
    documents = list(page.items)
    while page.next_cursor:
        page = await catalogue.documents(
            program.pgm_id, limit=_PAGE, cursor=page.next_cursor, revision=program.revision
        )
        documents.extend(page.items)
    return tuple(document for document in documents if document.revision == program.revision)
