"""WorkWatch that counts, traces, and tells every line of the log what it is about."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind
from structlog.contextvars import bound_contextvars

from adapters.telemetry.origin import REQUEST_ID, request_id_of
from adapters.telemetry.telemetry import Telemetry
from domain.events import DocumentsRegistered, EventKind, StartedEvent
from domain.ports.work_watch import Tell, WorkResult, WorkWatch


class ObservingWatch(WorkWatch):
    """Goes on with the trace of whoever recorded the event, over the outbox and the queue."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    @contextmanager
    def work(self, started: StartedEvent) -> Iterator[Tell]:
        """See the port."""
        kind, began = EventKind.of(started.event).value, time.perf_counter()
        told: list[WorkResult] = []
        try:
            with bound_contextvars(**_fields(started)), self._traced(started, kind, told):
                yield told.append
        except asyncio.CancelledError:
            told = told or [WorkResult.HANDED_BACK]
            raise
        finally:
            result = told[-1] if told else WorkResult.UNRECORDED
            self._telemetry.metrics.jobs.labels(kind, result.value).inc()
            self._telemetry.metrics.job_seconds.labels(kind).observe(time.perf_counter() - began)

    def rescued(self, claims: int) -> None:
        """See the port."""
        self._telemetry.metrics.lease_rescues.inc(claims)

    @contextmanager
    def _traced(self, started: StartedEvent, kind: str, told: list[WorkResult]) -> Iterator[None]:
        attributes: dict[str, str | int] = {
            "ladderbase.event_id": started.event_id,
            "ladderbase.pgm_id": started.event.pgm_id,
            "ladderbase.attempt": started.attempts,
        }
        with self._telemetry.spans.goes_on(
            f"handle {kind}", started.origin, kind=SpanKind.CONSUMER, attributes=attributes
        ) as span:
            yield
            if span is not None and told:
                span.set_attribute("ladderbase.result", told[-1].value)


def _fields(started: StartedEvent) -> dict[str, str | int]:
    """Of one document its name and generation, of several how many they are."""
    fields: dict[str, str | int] = {"event_id": started.event_id, "pgm_id": started.event.pgm_id}
    if request_id := request_id_of(started.origin):
        fields[REQUEST_ID] = request_id
    match started.event:
        case DocumentsRegistered(documents=(ref,)):
            fields |= {"document_id": ref.document_id, "generation": ref.generation}
        case DocumentsRegistered(documents=documents):
            fields["documents"] = len(documents)
    return fields
