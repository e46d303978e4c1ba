"""Puts whoever looks on around the ports of an opened container: as others see them, they stay what they were."""

from typing import Any

from dependency_injector import providers

from adapters.telemetry.observed_index import ObservedVectorIndex
from adapters.telemetry.observed_readers import ObservedChunkReader, ObservedEmbedder, ObservedUploadReader
from adapters.telemetry.observed_stores import ObservedUnitOfWork, observed_blobs
from adapters.telemetry.telemetry import Telemetry
from adapters.telemetry.work_watch import ObservingWatch
from entrypoints.container import Container


def observe(container: Container, telemetry: Telemetry) -> None:
    """From now on every use case of the container is looked at."""
    for provider, observed in (
        (container.telemetry, telemetry),
        (container.blobs, observed_blobs(container.blobs(), telemetry)),
        (container.query_embedder, ObservedEmbedder(container.query_embedder(), telemetry, purpose="query")),
        (container.embedder, ObservedEmbedder(container.embedder(), telemetry, purpose="index")),
        (container.index, ObservedVectorIndex(container.index(), telemetry)),
        (container.chunk_reader, ObservedChunkReader(container.chunk_reader(), telemetry)),
        (container.work_watch, ObservingWatch(telemetry)),
        (container.upload_reader, ObservedUploadReader(container.upload_reader(), telemetry)),
        (container.unit_of_work, ObservedUnitOfWork(container.unit_of_work(), telemetry)),
    ):
        provider.override(_of(observed))


def _of(replacement: object) -> providers.Object[Any]:
    return providers.Object(replacement)
