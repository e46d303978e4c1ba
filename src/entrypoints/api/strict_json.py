"""What msgspec lets pass in a JSON body and this API does not: doubled keys, deep nesting, texts no column can hold."""

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from msgspec import Struct, ValidationError, convert

from domain.told import Told, told
from entrypoints.api.field_messages import field_problem
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError, RefusedRequestError
from entrypoints.api.request_body import IDLE_TIMEOUT_S, ApiRequest, refuse_by_headers, too_large
from entrypoints.api.texts import unstorable

MAX_JSON_BYTES = 64 * 1024
MAX_DEPTH = 32
T = TypeVar("T", bound=Struct)
_TOO_LARGE = "json_too_large"
_MAX_DIGITS = 18
_LARGEST_EXACT = 2**53
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def strict_json(shape: type[Struct], *, may_be_empty: bool = False) -> Callable[[ApiRequest], Awaitable[None]]:
    """A `before_request` hook that refuses a body which is not strictly one JSON object of this shape."""

    async def check(request: ApiRequest) -> None:
        refuse_by_headers(request, MAX_JSON_BYTES, code=_TOO_LARGE)
        try:
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                body = await request.body()
        except TimeoutError:
            detail = told("no body came within {seconds:.0f} s", seconds=IDLE_TIMEOUT_S)
            raise RefusedRequestError("request_timeout", detail) from None
        except RequestEntityTooLarge:
            raise too_large(MAX_JSON_BYTES, code=_TOO_LARGE) from None
        if may_be_empty and not body:
            return
        read_object(body, shape)

    return check


def read_object(body: bytes, shape: type[T]) -> T:
    """The body as an object of this shape. Raises RefusedRequestError and InvalidFieldsError."""
    document = parse_object(body)
    try:
        return convert(document, shape)
    except ValidationError as error:
        raise InvalidFieldsError((field_problem(str(error)),)) from None


def parse_object(body: bytes) -> dict[str, object]:
    """The one JSON object in a body. Raises RefusedRequestError, or InvalidFieldsError for its texts."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        where = _place_of(body[: error.start].decode())
        raise RefusedRequestError("json_invalid", told("the body is not UTF-8: see {where}", where=where)) from None
    if not text.strip():
        raise RefusedRequestError("json_shape", told("the body is empty where a JSON object is due"))
    _refuse_depth(text)
    document = _parsed(text)
    if not isinstance(document, dict):
        raise RefusedRequestError("json_shape", told("the body is not a JSON object"))
    if problems := tuple(_unstorable_texts(document, "")):
        raise InvalidFieldsError(problems)
    return document


def _parsed(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except json.JSONDecodeError as error:
        where = _place_of(text[: error.pos])
        raise RefusedRequestError("json_invalid", told("the body is no JSON: see {where}", where=where)) from None


def _place_of(text_before: str) -> Told:
    lines = text_before.split("\n")
    return told("line {line}, column {column}", line=len(lines), column=len(lines[-1]) + 1)


def _refuse_depth(text: str) -> None:
    depth = 0
    for character in _STRING.sub("", text):
        depth += (character in "[{") - (character in "]}")
        if depth > MAX_DEPTH:
            detail = told("the body is nested more than {most} levels deep", most=MAX_DEPTH)
            raise RefusedRequestError("json_too_deep", detail)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    distinct = dict(pairs)
    if len(distinct) < len(pairs):
        raise RefusedRequestError("json_duplicate_key", told("an object in the body names a key twice"))
    return distinct


def _refuse_constant(name: str) -> object:
    raise RefusedRequestError("json_invalid", told("{name} is no JSON number", name=name))


def _bounded_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise RefusedRequestError("json_number", told("a whole number has more than {most} digits", most=_MAX_DIGITS))
    if digits == "-0":
        raise RefusedRequestError("json_invalid", told("-0 is no whole number"))
    return int(digits)


def _finite_float(digits: str) -> float:
    """21.0 is a whole number to JSON Schema, and to Litestar, but not to msgspec's conversion."""
    number = float(digits)
    if not math.isfinite(number):
        raise RefusedRequestError("json_invalid", told("a number is too large"))
    return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number


def _unstorable_texts(value: object, path: str) -> Iterator[FieldProblem]:
    if isinstance(value, str):
        if reason := unstorable(value):
            yield FieldProblem(field=path or "body", code="text_invalid", message=reason, hint=told("Take it out."))
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _unstorable_texts(key, path)
            yield from _unstorable_texts(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for entry in value:
            yield from _unstorable_texts(entry, path)
