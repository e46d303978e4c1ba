"""Which pages of other origins may ask, from inside a browser: none, unless they are named."""

import msgspec
from litestar.config.cors import CORSConfig
from litestar.enums import HttpMethod
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from domain.told import told
from entrypoints.api.access_log import request_id_of
from entrypoints.api.codes import REQUESTS
from entrypoints.api.languages import in_language, language_of, title_in
from entrypoints.api.problems import PROBLEM_MEDIA_TYPE, problem_of

_REFUSED = "request_invalid"
_ASKS_FOR = b"access-control-request-method"


def cors_config(origins: tuple[str, ...]) -> CORSConfig | None:
    """For these origins alone, or None. A page sends a key itself: there are no credentials that a browser adds."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"],
        allow_credentials=False,
        expose_headers=[
            "Content-Disposition",
            "ETag",
            "Idempotency-Replayed",
            "Location",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-ID",
        ],
    )


def refused_preflights_told(app: ASGIApp) -> ASGIApp:
    """Wrap the application: a browser's question that Litestar refuses with a word of text is answered a problem."""

    async def told_in_problems(scope: Scope, receive: Receive, send: Send) -> None:
        is_refused = False

        async def send_problem_instead(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start" and message["status"] == REQUESTS[_REFUSED][0]:
                is_refused = True
                await _send_problem(scope, send)
            elif not is_refused:
                await send(message)

        await app(scope, receive, send_problem_instead if _is_preflight(scope) else send)

    return told_in_problems


def _is_preflight(scope: Scope) -> bool:
    return scope.get("method") == HttpMethod.OPTIONS and any(name == _ASKS_FOR for name, _ in scope["headers"])


async def _send_problem(scope: Scope, send: Send) -> None:
    language = language_of(scope)
    status, title = REQUESTS[_REFUSED]
    detail = told("pages of that origin may not ask so: CORS_ALLOWED_ORIGINS names those that may")
    problem = problem_of(
        _REFUSED,
        status,
        title_in(title, language),
        detail=in_language(detail, language),
        request_id=request_id_of(scope),
    )
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", PROBLEM_MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
