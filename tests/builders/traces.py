"""Spans that stay in the process, and how they hang together."""

from collections.abc import Iterable

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.telemetry.spans import Spans


def kept_spans() -> tuple[Spans, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider.get_tracer("test")), exporter


def ancestry(spans: Iterable[ReadableSpan], name: str) -> list[str]:
    """The names from a span of this name up to the root of its trace."""
    by_id = {span.context.span_id: span for span in spans if span.context}
    span = next(span for span in by_id.values() if span.name == name)
    names = [span.name]
    while span.parent and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return names
