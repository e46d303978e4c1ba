"""From a document's bytes to its chunks, as its type has it."""

from domain.attachments.registry import ATTACHMENTS
from domain.chunk import Chunk
from domain.chunking import ladder_chunks
from domain.comments import DeviceComments
from domain.document import Document
from domain.ladder.listing import parse_listing


def document_chunks(content: bytes, document: Document, comments: DeviceComments) -> tuple[Chunk, ...]:
    """What is found of an attachment, else of a ladder CSV. Raises TableError."""
    if attachment := ATTACHMENTS.get(document.document_type):
        return attachment.chunks(content, comments)
    return ladder_chunks(parse_listing(content), document, comments)
