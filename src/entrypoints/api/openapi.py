"""The OpenAPI document: problems as every operation's errors, and the form that the uploads read by themselves."""

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Encoding,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Reference,
    RequestBody,
    Schema,
    SecurityScheme,
    Tag,
)

from domain.attachments.registry import ATTACHMENTS
from entrypoints.api.idempotency import KEY_PARAMETER
from entrypoints.api.languages import SpokenOperation
from entrypoints.api.media_types import MEDIA_TYPES
from entrypoints.api.needs import API_KEY_SCHEME, TOKEN_SCHEME, open_to_all
from entrypoints.api.openapi_links import LinkedOperation
from entrypoints.api.operation_schemas import RetryEverywhereRequest, RetryRequest
from entrypoints.api.problems import PROBLEM_MEDIA_TYPE
from entrypoints.api.receive_upload import (
    COMMENT_FIELD,
    DRY_RUN,
    MAX_CHARACTERS,
    REGISTRATION,
    REPLACEMENT,
    TEMPLATE_FIELD,
    TEXTS_WITH_LINES,
    USER_FIELD,
    ZIP_FIELD,
    FormTexts,
)
from entrypoints.api.schemas import ProblemBody, SearchRequest

_FILES = {
    ZIP_FIELD: "A ZIP of the ladder CSVs as GX Works exports them.",
    TEMPLATE_FIELD: "The Excel sheet that names every logic.",
    COMMENT_FIELD: "The device comments as CSV.",
    **{one.field: one.description for one in ATTACHMENTS.values()},
}
_SENT_AS = {
    ZIP_FIELD: ("ladder.zip", "application/zip"),
    TEMPLATE_FIELD: ("template.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    COMMENT_FIELD: ("comment.csv", "text/csv"),
}
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
LINE = f"^[^{_CONTROLS}]*$"
_LINE_THAT_SAYS_SOMETHING = f"^[^{_CONTROLS}]*[^\\s{_CONTROLS}][^{_CONTROLS}]*$"
LINES = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
_JSON_BODIES = (SearchRequest, RetryRequest, RetryEverywhereRequest)
_USER = (
    "Who uploads. Needed where the service asks nobody who they are; else it is the name of the key's owner or of the"
    " token, may be left out, and must not be another."
)
_TOLD_TO_WAIT = {"429", "503"}
_RETRY_AFTER = {"description": "Seconds to wait before it is tried again.", "schema": {"type": "integer", "minimum": 1}}
_SCHEMES: dict[str, SecurityScheme | Reference] = {
    API_KEY_SCHEME: SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="lb_<prefix>_<secret>",
        description="A key that `ladderbase keys create` made. Its scopes are read, write and admin, each of which"
        " allows what stands before it.",
    ),
    TOKEN_SCHEME: SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="JWT",
        description="A token of the OpenID Connect issuer that the service trusts, where it trusts one.",
    ),
}


class _Document(JsonRenderPlugin):
    """Says as well what the framework forgets.

    That is how long to wait after an error, that a body has no other fields, and what holds for the items of a list.
    """

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        for methods in openapi_schema["paths"].values():
            for operation in methods.values():
                for status in _TOLD_TO_WAIT & operation["responses"].keys():
                    operation["responses"][status]["headers"] = {"Retry-After": _RETRY_AFTER}
        _, told = msgspec.json.schema_components(_JSON_BODIES, ref_template="#/components/schemas/{name}")
        openapi_schema["components"]["schemas"] |= {body.__name__: told[body.__name__] for body in _JSON_BODIES}
        return super().render(request, openapi_schema)


def openapi_config(version: str) -> OpenAPIConfig:
    """The document at /schema/openapi.json; no page of it loads anything from elsewhere."""
    return OpenAPIConfig(
        title="Ladderbase",
        version=version,
        summary="The registry and search index for PLC ladder programs.",
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            before_request=_nothing_beside_the_document,
            opt=open_to_all()["opt"],
        ),
        components=Components(security_schemes=_SCHEMES),
        use_handler_docstrings=True,
        render_plugins=[_Document(path="/openapi.json")],
        tags=[
            Tag(name="programs", description="Upload programs, follow their indexing, delete them."),
            Tag(name="documents", description="The documents of programs and their bytes."),
            Tag(name="search", description="Find the rung."),
            Tag(name="devices", description="See who reads and writes which device."),
            Tag(name="operations", description="See what failed and what waits, give it back."),
            Tag(name="service", description="Whether the service is up, and which one it is."),
        ],
    )


async def _nothing_beside_the_document(request: Request[Any, Any, Any]) -> None:
    """Litestar would answer any other path below with a page: here that is a problem like everywhere."""
    if request.path_params:
        raise NotFoundException


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The errors of a handler, besides those that any request may be answered."""
    return open_responses(401, 403, 429, *statuses)


def open_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The errors of a handler that asks nobody who they are."""
    return {
        status: ResponseSpec(
            ProblemBody, media_type=PROBLEM_MEDIA_TYPE, generate_examples=False, description=_MEANING[status]
        )
        for status in (400, 500, 503, *statuses)
    }


_MEANING = {
    400: "The request cannot be read.",
    401: "Nobody knows who asks.",
    403: "The key or the token does not have the scope that is needed.",
    404: "There is no such thing, or no longer.",
    408: "The request came too slowly.",
    409: "The Idempotency-Key is that of another request, or somebody else moved on first.",
    413: "Too many bytes.",
    415: "A content type, a content encoding or a file type that is not supported.",
    422: "The request was read, and what the findings name in it cannot be used.",
    429: "Too many requests of this caller, or too many unknown keys from this address: wait as Retry-After says.",
    500: "A bug: report the request id.",
    503: "A dependency gives no answer, or no place is left: try again after Retry-After.",
}


FILE_NAMES = (
    "A file's name may come in `filename`, in `filename*=UTF-8''`, or in both, which must then agree. It is shown"
    " without folders and composed (NFC); its part needs no Content-Type, and one of another kind of file is refused."
)


@dataclass
class UploadOperation(LinkedOperation):
    """An operation that takes an upload: its handler reads the form from the stream, so the document is told here."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _form(REGISTRATION)
        self.parameters = [*(self.parameters or ()), KEY_PARAMETER]


@dataclass
class ReplacementOperation(LinkedOperation):
    """An upload of a program's files alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _form(REPLACEMENT)


@dataclass
class DryRunOperation(SpokenOperation):
    """An upload that stores nothing: it needs the files alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.request_body = _form(DRY_RUN)


@dataclass
class ContentOperation(SpokenOperation):
    """An operation that answers the bytes of a document: what they are, each document says for itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse):
            answer.content = {
                name: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, content_media_type=name))
                for name in MEDIA_TYPES
            }


@dataclass
class OptionalBodyOperation(LinkedOperation):
    """An operation whose body may be left out; the framework calls every body required."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = False


def _form(form: FormTexts) -> RequestBody:
    files = {
        name: Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream", description=text)
        for name, text in _FILES.items()
    }
    texts = {
        name: Schema(type=OpenAPIType.STRING, max_length=most, pattern=LINES if name in TEXTS_WITH_LINES else LINE)
        for name, most in MAX_CHARACTERS.items()
        if name in form.names
    }
    required = [name for name in form.required if name != USER_FIELD]
    for name in required:
        texts[name].min_length = 1
        texts[name].pattern = _LINE_THAT_SAYS_SOMETHING
    if USER_FIELD in texts:
        texts[USER_FIELD].description = _USER
    schema = Schema(
        type=OpenAPIType.OBJECT,
        properties={**files, **texts},
        required=[ZIP_FIELD, TEMPLATE_FIELD, *required],
        additional_properties=False,
    )
    return RequestBody(
        required=True,
        description=FILE_NAMES,
        content={"multipart/form-data": OpenAPIMediaType(schema=schema, encoding=_encodings())},
    )


def _encodings() -> dict[str, Encoding]:
    """How the part of each file may be sent: names as an example, because its ending says what a file is."""
    return {
        name: Encoding(
            content_type=media_type,
            headers={
                "Content-Disposition": OpenAPIHeader(
                    schema=Schema(type=OpenAPIType.STRING),
                    example=f'form-data; name="{name}"; filename="{filename}"',
                )
            },
        )
        for name, (filename, media_type) in _SENT_AS.items()
    }
