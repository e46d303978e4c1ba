"""Conditional requests (RFC 9110, 13): what an answer's ETag is, and what is done about a caller's conditions on it."""

import hashlib
from typing import Any

import msgspec
from litestar import MediaType, Response
from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec

from domain.told import told
from entrypoints.api.refusals import RefusedRequestError
from entrypoints.api.request_body import ApiRequest

ETAG = ResponseHeader(
    name="ETag",
    documentation_only=True,
    value='"4f5c2b8e"',
    description="Of just this answer: another one, another tag.",
)
UNCHANGED = {304: ResponseSpec(None, generate_examples=False, description="The caller has this answer already.")}
_TAG_CHARACTERS = 32
_REVALIDATED = "private, no-cache"


def etag_of(content: bytes) -> str:
    """The strong tag of an answer's bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:_TAG_CHARACTERS]}"'


def etag_of_body(body: msgspec.Struct) -> str:
    """The strong tag of an answer."""
    return etag_of(msgspec.json.encode(body))


def answered(request: ApiRequest, body: msgspec.Struct) -> Response[Any]:
    """The body with its tag; 304 without it when the caller has it already."""
    content = msgspec.json.encode(body)
    headers = validators(etag_of(content))
    if is_known(request, headers["ETag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=MediaType.JSON)


def fresh(body: msgspec.Struct) -> Response[Any]:
    """The body of a change, with its tag."""
    content = msgspec.json.encode(body)
    return Response(content, headers=validators(etag_of(content)), media_type=MediaType.JSON)


def validators(tag: str) -> dict[str, str]:
    """The headers with which a caller may ask again whether anything changed: to be kept by nobody but him."""
    return {"ETag": tag, "Cache-Control": _REVALIDATED}


def is_known(request: ApiRequest, tag: str) -> bool:
    """Whether If-None-Match names the tag; a weak form of it will do."""
    sent = _tags(request, "if-none-match")
    return "*" in sent or tag.removeprefix("W/") in {one.removeprefix("W/") for one in sent}


def require_match(request: ApiRequest, tag: str) -> bool:
    """Refuse a change of what has another tag by now, or one that does not say what it is a change of.

    Returns whether the caller changes it whatever it is. Raises RefusedRequestError. A weak tag matches nothing:
    two answers that it stands for may differ.
    """
    sent = _tags(request, "if-match")
    if not sent:
        detail = told("send If-Match with the ETag of the program as you read it")
        raise RefusedRequestError("precondition_required", detail)
    if "*" not in sent and tag not in sent:
        raise stale()
    return "*" in sent


def stale() -> RefusedRequestError:
    """The refusal of a change of what is another by now."""
    return RefusedRequestError("precondition_failed", told("the program is no longer as the If-Match says"))


def _tags(request: ApiRequest, name: str) -> list[str]:
    lines = request.headers.getall(name, [])
    return [tag for line in lines for tag in map(str.strip, line.split(",")) if tag]
