"""The Idempotency-Key of a request, and answers as they are kept under it: with all that is sent again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from litestar import MediaType, Response
from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import OpenAPIType, Parameter, Schema

from application.sweep_idempotency_keys import KEPT_FOR
from domain.errors import InvalidRequestError
from domain.idempotency import MAX_KEY_CHARACTERS, IdempotencyKey
from domain.told import told
from entrypoints.api.languages import LANGUAGE_HEADER, Language
from entrypoints.api.request_body import ApiRequest

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

KEY_PARAMETER = Parameter(
    name=KEY_HEADER,
    param_in="header",
    schema=Schema(
        type=OpenAPIType.STRING, min_length=1, max_length=MAX_KEY_CHARACTERS, pattern="^[!-~]([ -~]*[!-~])?$"
    ),
    description=f"A name of your own for this request. Sent again within {KEPT_FOR // timedelta(hours=1)} hours, it is"
    " given the first answer and not carried out again. An error leaves its key to the corrected request.",
)
REPLAYED = ResponseHeader(
    name=REPLAYED_HEADER,
    documentation_only=True,
    value="true",
    description="There, and `true`, when this is the answer to an earlier request with the same Idempotency-Key.",
)

# Versions that spoke English alone did not keep in which language they answered.
_BEFORE_THERE_WERE_TWO = {LANGUAGE_HEADER: Language.ENGLISH.value}


class _Answer(msgspec.Struct, kw_only=True, frozen=True):
    """What is kept. Versions before and after this one read it too: it may gain optional fields alone."""

    status: int
    headers: Mapping[str, str]
    body: msgspec.Raw


def key_of(request: ApiRequest, *, operation: str) -> IdempotencyKey | None:
    """The key that a request came with, if any. Raises InvalidRequestError."""
    names = request.headers.getall(KEY_HEADER, [])
    if len(names) > 1:
        message = told("it came more than once")
        raise InvalidRequestError("idempotency_key", message, code="idempotency_key_invalid")
    if not names:
        return None
    return IdempotencyKey(client=request.user.identity, operation=operation, name=names[0].strip(" \t"))


def rendered(body: msgspec.Struct, *, status: int, headers: Mapping[str, str]) -> bytes:
    """An answer, ready to be kept or sent."""
    return msgspec.json.encode(_Answer(status=status, headers=headers, body=msgspec.Raw(msgspec.json.encode(body))))


def response_of(answer: bytes, *, is_replay: bool = False) -> Response[Any]:
    """The answer on its way out, its body byte for byte as it was rendered."""
    sent = msgspec.json.decode(answer, type=_Answer)
    headers = {**_BEFORE_THERE_WERE_TWO, **sent.headers, **({REPLAYED_HEADER: "true"} if is_replay else {})}
    return Response(bytes(sent.body), status_code=sent.status, headers=headers, media_type=MediaType.JSON)
