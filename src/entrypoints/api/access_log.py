"""One line per request, and the id under which a request is spoken of: taken from the caller when it is sane."""

import logging
import re
import time
import uuid
from collections.abc import Mapping

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, unbind_contextvars

from entrypoints.api.answer_headers import complete_headers
from entrypoints.api.languages import language_headers
from entrypoints.logs import log_fact

_log = logging.getLogger("ladderbase.access")
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_HEADER = b"x-request-id"
_KEY = "request_id"
ABOUT = ("pgm_id", "document_id")
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked all the time: no news."""


def request_id_of(scope: Scope) -> str:
    """The id of a request: its X-Request-Id, or a fresh one; the same every time it is asked for."""
    state = scope.setdefault("state", {})
    if _KEY not in state:
        state[_KEY] = _sent_id(scope) or uuid.uuid4().hex
    return str(state[_KEY])


def bind_to_log(path_params: Mapping[str, object]) -> None:
    """Every line of this request says from now on which program and document of the path it is about."""
    bind_contextvars(**{name: str(path_params[name]) for name in ABOUT if name in path_params})


def access_logged(app: ASGIApp) -> ASGIApp:
    """Wrap the whole application, unknown paths included: the id goes back in the answer, the line into the log."""

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope)
            await send(message)

        bind_contextvars(request_id=request_id_of(scope))
        try:
            await app(scope, receive, note_status)
        finally:
            _write_line(scope, status, time.perf_counter() - started)
            unbind_contextvars(_KEY, *ABOUT)

    return logged


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    """Never a body, a query string or a header; the path as its template, so that no id becomes a label."""
    path = scope.get("path_template") or "unknown"
    log_fact(
        _log,
        logging.DEBUG if path in PROBES else logging.INFO,
        "request",
        method=str(scope.get("method")),
        path=path,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=request_id_of(scope),
    )


def _add_headers(message: HTTPResponseStartEvent, scope: Scope) -> None:
    said = message["headers"]
    own = [(_HEADER, request_id_of(scope).encode()), *language_headers(scope, said)]
    message["headers"] = complete_headers([*said, *own])


def _sent_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _HEADER and _SANE_ID.fullmatch(text := value.decode("latin-1")):
            return text
    return ""
