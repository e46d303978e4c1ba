"""What a process tells of itself while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from adapters.telemetry.spans import Spans
from adapters.telemetry.telemetry import Telemetry
from entrypoints.build import NAME, Build, this_build
from entrypoints.settings import Settings

_EXPORT_S = 5.0
_WAITING_SPANS = 2_048
"""A collector that is away costs spans, never memory or anybody's time."""


@asynccontextmanager
async def opened_telemetry(settings: Settings, process: str) -> AsyncIterator[Telemetry]:
    """Metrics of the process, and its spans where a collector is named; what it holds yet is sent at the end."""
    build = this_build(settings.build_commit)
    async with AsyncExitStack() as stack:
        spans = Spans()
        if settings.otel_exporter_otlp_endpoint:
            provider = _provider(settings.otel_exporter_otlp_endpoint, process, build)
            stack.push_async_callback(asyncio.to_thread, provider.shutdown)
            spans = Spans(provider.get_tracer(NAME))
        telemetry = Telemetry(spans=spans)
        telemetry.metrics.watch_process()
        telemetry.metrics.build.labels(build.version, build.commit or "unknown").set(1)
        yield telemetry


def _provider(endpoint: str, process: str, build: Build) -> TracerProvider:
    resource = Resource.create({"service.name": f"{NAME}-{process}", "service.version": build.version})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_S)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=_WAITING_SPANS, export_timeout_millis=_EXPORT_S * 1_000)
    )
    return provider
