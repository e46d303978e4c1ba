"""Every request as whoever looks on sees it: counted, timed and traced, by the template of its route."""

import time
from collections.abc import Mapping
from contextlib import ExitStack

from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.trace import Span, SpanKind, StatusCode

from adapters.telemetry.origin import TRACE_PARENT
from adapters.telemetry.telemetry import Telemetry
from entrypoints.api.access_log import PROBES, request_id_of
from entrypoints.api.needs import drawn_on_by
from entrypoints.api.outcomes import upload_result

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN, OTHER = "unknown", "other"
"""The route of a path that no route has, and the method of a request that makes one up: one label for all of them."""

_SERVER_ERROR = 500


def observed_requests(app: ASGIApp, telemetry: Telemetry) -> ASGIApp:
    """Wrap the whole application. A request is timed until its answer begins: how fast that is read is not ours."""

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        look = _Look(scope, telemetry)

        async def noting(message: Message) -> None:
            look.note(message)
            await send(message)

        with look.lasts():
            await app(scope, receive, noting)

    return observed


class _Look:
    def __init__(self, scope: Scope, telemetry: Telemetry) -> None:
        self._scope = scope
        self._telemetry = telemetry
        self._began = time.perf_counter()
        self._seconds: float | None = None
        self._status = 0
        self._headers: Mapping[bytes, bytes] = {}

    def note(self, message: Message) -> None:
        """The beginning of the answer."""
        if message["type"] == "http.response.start":
            self._seconds = time.perf_counter() - self._began
            self._status = message["status"]
            self._headers = dict(message["headers"])

    def lasts(self) -> ExitStack:
        """Until the request is done with, whatever came of it."""
        stack = ExitStack()
        in_progress = self._telemetry.metrics.requests_in_progress
        in_progress.inc()
        stack.callback(in_progress.dec)
        stack.callback(self._count)
        if self._scope["path"] not in PROBES:
            span = stack.enter_context(
                self._telemetry.spans.goes_on(
                    self._method,
                    {TRACE_PARENT: _header(self._scope, TRACE_PARENT)},
                    kind=SpanKind.SERVER,
                    attributes={
                        "http.request.method": self._method,
                        "ladderbase.request_id": request_id_of(self._scope),
                    },
                )
            )
            stack.callback(self._name, span)
        return stack

    @property
    def _method(self) -> str:
        method = str(self._scope.get("method"))
        return method if method in METHODS else OTHER

    @property
    def _route(self) -> str:
        return str(self._scope.get("path_template") or UNKNOWN)

    def _count(self) -> None:
        seconds = time.perf_counter() - self._began if self._seconds is None else self._seconds
        status = f"{self._status // 100}xx" if self._status else "none"
        self._telemetry.metrics.request_seconds.labels(self._method, self._route, status).observe(seconds)
        handler: BaseRouteHandler | None = self._scope.get("route_handler")
        if handler is not None and drawn_on_by(handler) == "uploads":
            operation = str(getattr(handler, "operation_id", None))
            result = upload_result(self._scope, operation, self._status, self._headers)
            self._telemetry.metrics.uploads.labels(operation, result).inc()

    def _name(self, span: Span | None) -> None:
        if span is None:
            return
        span.update_name(f"{self._method} {self._route}")
        span.set_attribute("http.route", self._route)
        span.set_attribute("http.response.status_code", self._status)
        if self._status >= _SERVER_ERROR:
            span.set_status(StatusCode.ERROR)


def _header(scope: Scope, name: str) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name.encode()), "")
