"""The OpenAPI document: problems as every operation's errors, and the form that the uploads read by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    Encoding,
    OpenAPIFormat,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Parameter,
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
from entrypoints.api.openapi_completion import complete
from entrypoints.api.openapi_links import LinkedOperation
from entrypoints.api.problems import PROBLEM_MEDIA_TYPE
from entrypoints.api.receive_upload import (
    COMMENT_FIELD,
    DRY_RUN,
    REGISTRATION,
    REPLACEMENT,
    TEMPLATE_FIELD,
    USER_FIELD,
    ZIP_FIELD,
    FormTexts,
)
from entrypoints.api.schemas import ProblemBody
from entrypoints.api.texts import LINE, LINE_THAT_SAYS_SOMETHING, LINES, MAX_CHARACTERS, TEXTS_WITH_LINES

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
BINARY = (
    OpenAPIFormat.BINARY
)  # says nothing more in OpenAPI 3.1, but generators of clients take a text for a file without it
_USER = (
    "Who uploads. Needed where the service asks nobody who they are; else it is the name of the key's owner or of the"
    " token, may be left out, and must not be another."
)
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
    """Says as well what the framework forgets."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        complete(openapi_schema)
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
            Tag(name="webhooks", description="Have other systems told."),
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
    412: "It is no longer as If-Match says: read it again.",
    413: "Too many bytes.",
    415: "A content type, a content encoding or a file type that is not supported.",
    416: "The range lies behind the end.",
    422: "The request was read, and what the findings name in it cannot be used.",
    428: "If-Match is missing.",
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


_IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    param_in="header",
    schema=Schema(type=OpenAPIType.STRING),
    description="ETags of answers that the caller has: one of them is answered 304, without a body.",
)


@dataclass
class ConditionalOperation(SpokenOperation):
    """A read that need not be answered to whoever has the answer already."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parameters = [*(self.parameters or ()), _IF_NONE_MATCH]


_IF_MATCH = Parameter(
    name="If-Match",
    param_in="header",
    schema=Schema(type=OpenAPIType.STRING),
    description="The ETag of the program as it was read, or `*` for whatever it is by now. Without it: 428.",
)


@dataclass
class AmendmentOperation(LinkedOperation):
    """A change of what the caller has read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parameters = [*(self.parameters or ()), _IF_MATCH]


_RANGE = [
    Parameter(
        name="Range",
        param_in="header",
        schema=Schema(type=OpenAPIType.STRING, examples=["bytes=0-1023", "bytes=1024-", "bytes=-512"]),
        description="One range of bytes; several, or one that cannot be read, are answered with everything.",
    ),
    Parameter(
        name="If-Range",
        param_in="header",
        schema=Schema(type=OpenAPIType.STRING),
        description="The ETag of the bytes that the caller has a part of: if they are others by now, everything comes.",
    ),
]


@dataclass
class RangedOperation(ConditionalOperation):
    """An operation that answers the bytes of a document: what they are, each document says for itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parameters = [*(self.parameters or ()), *_RANGE]
        for status in ("200", "206"):
            answer = (self.responses or {}).get(status)
            if isinstance(answer, OpenAPIResponse):
                answer.content = _files_of(MEDIA_TYPES)


@dataclass
class ArchiveOperation(ConditionalOperation):
    """An operation that answers a ZIP."""

    def __post_init__(self) -> None:
        super().__post_init__()
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse):
            answer.content = _files_of(["application/zip"])


def _files_of(media_types: Sequence[str]) -> dict[str, OpenAPIMediaType]:
    return {
        name: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=BINARY, content_media_type=name))
        for name in media_types
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
        name: Schema(
            type=OpenAPIType.STRING, format=BINARY, content_media_type="application/octet-stream", description=text
        )
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
        texts[name].pattern = LINE_THAT_SAYS_SOMETHING
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
