"""What reads the chunks out of stored documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from domain.chunk import Chunk
from domain.comments import DeviceComments
from domain.document import Document, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """One document's own bytes and its chunks, or why it can never be read."""

    document: Document
    outcome: "tuple[Chunk, ...] | Failure"
    content_path: Path | None


class ChunkReader(Protocol):
    """Off the event loop, under limits of time and memory."""

    async def read(
        self, source: Path, documents: Sequence[Document], comments: DeviceComments, *, scratch: Path
    ) -> list[ReadDocument]:
        """Read documents out of a local copy of the blob they share (archive, or a document's own object).

        Each document's bytes are checked against its SHA-256 and left under `scratch`, named by
        `content_path`. Bytes that differ give a Failure `storage_corrupt`; a document that needs more
        than the limits allow gives `resource_limit`, its neighbours are read all the same.
        """
        ...
