"""What the framework's OpenAPI document leaves out, or says amiss, put right before it is sent."""

from collections.abc import Iterator
from typing import Any

import msgspec

from entrypoints.api.context_schemas import ContextRequest
from entrypoints.api.openapi_examples import ANSWERS, PROBLEMS, REQUESTS
from entrypoints.api.operation_schemas import RetryEverywhereRequest, RetryRequest
from entrypoints.api.schemas import AmendRequest, DeleteProgramsRequest, SearchRequest

Document = dict[str, Any]
_JSON_BODIES = (
    SearchRequest,
    ContextRequest,
    RetryRequest,
    RetryEverywhereRequest,
    AmendRequest,
    DeleteProgramsRequest,
)
_TOLD_TO_WAIT = {"429", "503"}
_RETRY_AFTER = {"description": "Seconds to wait before it is tried again.", "schema": {"type": "integer", "minimum": 1}}
_JSON, _PROBLEM = "application/json", "application/problem+json"


def complete(document: Document) -> None:
    """How long to wait after an error, that bodies have no other fields, what parameters are, and examples."""
    for method, operation in _operations(document):
        for status in _TOLD_TO_WAIT & operation["responses"].keys():
            operation["responses"][status]["headers"] = {"Retry-After": _RETRY_AFTER}
        for parameter in operation.get("parameters", ()):
            _leave_out_null(parameter)
        if method == "head":
            _leave_out_bodies(operation)
        _add_examples(operation)
    _, told = msgspec.json.schema_components(_JSON_BODIES, ref_template="#/components/schemas/{name}")
    document["components"]["schemas"] |= {body.__name__: told[body.__name__] for body in _JSON_BODIES}


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for methods in document["paths"].values():
        yield from methods.items()


def _leave_out_null(parameter: Document) -> None:
    """A parameter may be missing, but nothing in an address is null."""
    schema = parameter.get("schema", {})
    kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["oneOf"]
        parameter["schema"] = {**kinds[0], **schema}


def _leave_out_bodies(operation: Document) -> None:
    for answer in operation["responses"].values():
        answer.pop("content", None)


def _add_examples(operation: Document) -> None:
    name = operation["operationId"]
    if name in REQUESTS:
        _add_example(operation["requestBody"]["content"][_JSON], REQUESTS[name])
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if (name, status) in ANSWERS:
            _add_example(content[_JSON], ANSWERS[name, status])
        elif _PROBLEM in content and status in PROBLEMS:
            _add_example(content[_PROBLEM], PROBLEMS[status])


def _add_example(content: Document, example: msgspec.Struct) -> None:
    content["example"] = msgspec.to_builtins(example)
