"""What a process tells of itself, in one hand: its metrics and its spans."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import Histogram

from adapters.telemetry.metrics import Metrics
from adapters.telemetry.spans import Spans
from domain.errors import LadderbaseError, MisconfiguredError, UnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Counts always; traces where there is a tracer."""

    metrics: Metrics = field(default_factory=Metrics)
    spans: Spans = field(default_factory=Spans)

    @contextmanager
    def call(self, seconds: Histogram, dependency: str, /, **labels: str) -> Iterator[None]:
        """Time a call of a dependency under these labels and its `result`, as a part of what is being traced."""
        began, result = time.perf_counter(), "ok"
        try:
            with self.spans.within(f"{dependency} {labels.get('operation', '')}".strip(), **labels):
                yield
        except BaseException as error:
            result = _result_of(error)
            raise
        finally:
            seconds.labels(**labels, result=result).observe(time.perf_counter() - began)


def _result_of(error: BaseException) -> str:
    match error:
        case UnavailableError() | TimeoutError():
            return "unavailable"
        case MisconfiguredError():
            return "misconfigured"
        case LadderbaseError():
            return "refused"
        case asyncio.CancelledError():
            return "cancelled"
        case _:
            return "error"
