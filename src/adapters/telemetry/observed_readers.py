"""What reads and what embeds, as whoever looks on sees it."""

from collections.abc import Sequence
from pathlib import Path

from adapters.telemetry.telemetry import Telemetry
from domain.comments import DeviceComments
from domain.document import Document
from domain.ports.chunk_reader import ChunkReader, ReadDocument
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.ports.upload_reader import UploadReader
from domain.upload import InspectedUpload, Upload
from domain.vectors import Vectors


class ObservedUploadReader(UploadReader):
    """Traces each reading, and counts what is found."""

    def __init__(self, inner: UploadReader, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    async def inspect(self, upload: Upload) -> InspectedUpload:
        """See the port."""
        with self._telemetry.spans.within("read upload"):
            inspected = await self._inner.inspect(upload)
        for finding in inspected.findings:
            self._telemetry.metrics.findings.labels(finding.code, finding.severity.value).inc()
        return inspected


class ObservedChunkReader(ChunkReader):
    """Traces each reading."""

    def __init__(self, inner: ChunkReader, telemetry: Telemetry) -> None:
        self._inner = inner
        self._telemetry = telemetry

    async def read(
        self, source: Path, documents: Sequence[Document], comments: DeviceComments, *, scratch: Path
    ) -> list[ReadDocument]:
        """See the port."""
        with self._telemetry.spans.within("read documents", documents=len(documents)):
            return await self._inner.read(source, documents, comments, scratch=scratch)


class ObservedEmbedder(Embedder):
    """Times and traces each call; `purpose` is what its vectors are for."""

    def __init__(self, inner: Embedder, telemetry: Telemetry, *, purpose: str) -> None:
        self._inner = inner
        self._telemetry = telemetry
        self._purpose = purpose

    @property
    def model(self) -> EmbeddingModel:
        """See the port."""
        return self._inner.model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See the port."""
        metrics = self._telemetry.metrics
        metrics.embedded_texts.labels(self._purpose).inc(len(texts))
        with self._telemetry.call(metrics.embedding_seconds, "embed", purpose=self._purpose):
            return await self._inner.embed(texts)
