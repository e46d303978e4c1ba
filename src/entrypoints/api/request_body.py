"""A request's body as it comes in: bounded in size, and in the time that a silent or slow client has."""

import asyncio
from collections.abc import AsyncIterator

from litestar import Request
from litestar.datastructures import State

from domain.caller import Caller
from domain.told import told
from entrypoints.api.refusals import RefusedRequestError

ApiRequest = Request[Caller, None, State]

IDLE_TIMEOUT_S = 30.0
PROGRESS_BYTES = 256 * 1024
"""Nine kilobytes a second: a slow line has more, and the largest upload is through after four hours."""
_DIGITS_OF_A_LENGTH = 15


async def body_pieces(request: ApiRequest, *, limit_bytes: int, idle_s: float = IDLE_TIMEOUT_S) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises RefusedRequestError, before the first byte where the length is announced.

    What counts is the time that is spent waiting for the client, not for the disk: at most `idle_s` for each
    PROGRESS_BYTES, so that neither a silent client nor one that sends byte by byte holds a place for long.
    Litestar's own stream answers 500 when a client goes away, and waits for a silent one for ever.
    """
    refuse_by_headers(request, limit_bytes)
    received, due_bytes, left_s = 0, PROGRESS_BYTES, idle_s
    clock = asyncio.get_running_loop().time
    while True:
        asked_at = clock()
        try:
            async with asyncio.timeout(left_s):
                message = await request.receive()
        except TimeoutError:
            detail = told(
                "fewer than {least:,} bytes of the body came within {seconds:.0f} s",
                least=PROGRESS_BYTES,
                seconds=idle_s,
            )
            raise RefusedRequestError("request_timeout", detail) from None
        left_s -= clock() - asked_at
        if message["type"] != "http.request":
            raise RefusedRequestError("body_truncated", told("the body ended before its announced length"))
        received += len(message["body"])
        if received >= due_bytes:
            due_bytes, left_s = received + PROGRESS_BYTES, idle_s
        if received > limit_bytes:
            raise too_large(limit_bytes)
        if message["body"]:
            yield message["body"]
        if not message["more_body"]:
            return


def too_large(limit_bytes: int, *, code: str = "too_large") -> RefusedRequestError:
    """The refusal of a body over its limit."""
    return RefusedRequestError(code, told("the body may hold at most {most:,} bytes", most=limit_bytes))


def refuse_by_headers(request: ApiRequest, limit_bytes: int, *, code: str = "too_large") -> None:
    """Refuse a body for what its headers announce; `code` says that its length is over the limit.

    Raises RefusedRequestError.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        detail = told("the body has a Content-Encoding; send it as it is")
        raise RefusedRequestError("encoding_unsupported", detail)
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise RefusedRequestError("request_invalid", told("the Content-Length is no number"))
    if len(announced) > _DIGITS_OF_A_LENGTH or int(announced) > limit_bytes:
        raise too_large(limit_bytes, code=code)
