"""The record of what the rungs of documents do to devices."""

from collections.abc import Collection, Sequence
from typing import Protocol

from domain.document import Document, DocumentRef
from domain.ports.document_repo import IndexedDocument


class UseRepo(Protocol):
    """Uses by document. A document that is not indexed at just the generation named is unknown here."""

    async def record(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """Record the uses of documents in place of what was recorded of them; return those that are known. Repeatable.

        They are recorded at this version of the table of instructions, documents without uses too.
        """
        ...

    async def give_up(self, refs: Collection[DocumentRef]) -> None:
        """Record that the uses of these cannot be had: whoever asks for them is told so, and nobody tries again."""
        ...

    async def forget(self, refs: Collection[DocumentRef]) -> None:
        """Take what is recorded of these away, so that they lack their uses and are read again."""
        ...

    async def lacking(self, *, limit: int) -> Sequence[Document]:
        """Indexed documents without uses of this version or a newer one, those of the newest program first.

        At their generation. What a newer version has recorded is left alone: its table knows more.
        """
        ...
