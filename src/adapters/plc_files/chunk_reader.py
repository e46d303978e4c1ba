"""Reads the chunks of stored documents in limited child processes."""

from collections.abc import Sequence
from pathlib import Path

from adapters.plc_files.document_jobs import read_documents
from adapters.plc_files.limited_child import ResourceLimitError
from adapters.plc_files.limited_process import LimitedProcess
from domain.comments import DeviceComments
from domain.document import Document, Failure
from domain.ports.chunk_reader import ChunkReader, ReadDocument
from domain.upload import UploadLimits


class LimitedChunkReader(ChunkReader):
    """One child reads all documents of a batch; where it dies, only the guilty document fails."""

    def __init__(self, process: LimitedProcess, limits: UploadLimits) -> None:
        self._process = process
        self._limits = limits

    async def read(
        self, source: Path, documents: Sequence[Document], comments: DeviceComments, *, scratch: Path
    ) -> list[ReadDocument]:
        """Read the documents out of a local copy of the blob that they share."""
        outcomes = await self._process.each(read_documents, documents, source, comments, scratch, self._limits)
        return [
            _too_costly(document, outcome) if isinstance(outcome, ResourceLimitError) else outcome
            for document, outcome in zip(documents, outcomes, strict=True)
        ]


def _too_costly(document: Document, error: ResourceLimitError) -> ReadDocument:
    return ReadDocument(
        document=document, outcome=Failure(code="resource_limit", message=str(error)), content_path=None
    )
