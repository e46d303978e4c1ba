"""What happened when, as OpenTelemetry's spans: without anybody's content, and without what errors say of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import NoOpTracer, Span, SpanKind, StatusCode, Tracer

from adapters.telemetry.origin import context_of, is_traced

Attributes = Mapping[str, str | int]


class Spans:
    """Traces by one tracer; without one, nothing is traced."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._is_on = tracer is not None
        self._tracer = tracer or NoOpTracer()

    @contextmanager
    def goes_on(
        self, name: str, origin: Mapping[str, str], *, kind: SpanKind, attributes: Attributes
    ) -> Iterator[Span | None]:
        """A request or an event: goes on with the trace that it came with, else begins one. None where none is on."""
        if not self._is_on:
            yield None
            return
        with (
            self._tracer.start_as_current_span(
                name,
                context=context_of(origin),
                kind=kind,
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
            _failing(span),
        ):
            yield span

    @contextmanager
    def within(self, name: str, **attributes: str | int) -> Iterator[None]:
        """A part of what is being traced. What nobody asked for, as a poll, makes no trace of its own."""
        if not self._is_on or not is_traced():
            yield
            return
        with (
            self._tracer.start_as_current_span(
                name, attributes=attributes, record_exception=False, set_status_on_exception=False
            ) as span,
            _failing(span),
        ):
            yield


@contextmanager
def _failing(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
