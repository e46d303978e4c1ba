"""From what comes over HTTP to an answer, or to the error that it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx

from entrypoints.cli.problems import Answer, NoServiceError, RefusedError

_MAY_PASS = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@contextmanager
def translated_errors(client: httpx.AsyncClient) -> Iterator[None]:
    """Whatever httpx raises in the block is NoServiceError."""
    try:
        yield
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        lost = not isinstance(error, httpx.ConnectError)
        raise NoServiceError(f"no service answers at {client.base_url}: {reason}", may_pass=lost) from error


def body_of(answer: httpx.Response, client: httpx.AsyncClient) -> Answer:
    """The JSON object of an answer. Raises NoServiceError where there is none: somebody else answers."""
    try:
        body: Any = {} if answer.status_code == HTTPStatus.NO_CONTENT else answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NoServiceError(f"what answers at {client.base_url} is not this service") from error
    if not isinstance(body, dict):
        raise NoServiceError(f"what answers at {client.base_url} is not this service")
    return body


def require_success(answer: httpx.Response, body: Answer) -> None:
    """Raise RefusedError or NoServiceError for what is no success."""
    may_pass = answer.status_code in _MAY_PASS
    if may_pass or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = body.get("detail", answer.status_code)
        raise NoServiceError(
            f"the service cannot do this now: {detail}", may_pass=may_pass, wait_s=_retry_after_s(answer)
        )
    if answer.is_error:
        raise RefusedError(body)


def _retry_after_s(answer: httpx.Response) -> float:
    """What the service asks for; nothing where it names a date."""
    seconds = answer.headers.get("Retry-After", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else 0.0
