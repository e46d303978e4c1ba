"""Where work comes from: the request that asked for it, and the trace that it is a part of, as events carry them."""

import re
from collections.abc import Mapping

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import get_contextvars

REQUEST_ID = "request_id"
TRACE_PARENT = "traceparent"
_W3C = TraceContextTextMapPropagator()
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def current_origin() -> Mapping[str, str]:
    """What to write beside an event that is recorded now; nothing where nobody asked for it."""
    origin = {REQUEST_ID: str(get_contextvars().get(REQUEST_ID, ""))}
    _W3C.inject(origin)
    return {name: origin[name] for name in (REQUEST_ID, TRACE_PARENT) if origin.get(name)}


def context_of(origin: Mapping[str, str]) -> Context:
    """The context whose trace goes on: that of the origin (or of a request's headers), else a new one."""
    return _W3C.extract({TRACE_PARENT: origin.get(TRACE_PARENT, "")}, context=Context())


def request_id_of(origin: Mapping[str, str]) -> str:
    """The id of the request that asked; empty where there was none."""
    sent = origin.get(REQUEST_ID, "")
    return sent if _SANE.fullmatch(sent) else ""


def is_traced() -> bool:
    """Whether something is being traced here and now."""
    return trace.get_current_span(context.get_current()).get_span_context().is_valid
