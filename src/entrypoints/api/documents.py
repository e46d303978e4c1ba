"""Documents over HTTP: what is known of one, and its bytes."""

from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import quote

from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.response import Stream

from application.read_content import ReadContent
from domain.caller import Scope
from domain.document import Document
from entrypoints.api.conversions import document_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.identifiers import DocumentId
from entrypoints.api.media_types import ANY_BYTES, media_type_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import ContentOperation, problem_responses
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import DocumentBody

_TAGS = ("documents",)
_UNCHANGED = ResponseSpec(None, generate_examples=False, description="The caller has these bytes already.")


@get(
    "/v1/documents/{document_id:str}",
    operation_id="get_document",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def get_document(catalogue: CatalogueDependency, document_id: DocumentId) -> DocumentBody:
    """One document and how far its indexing is."""
    return document_body(await catalogue.document(document_id))


@get(
    "/v1/documents/{document_id:str}/content",
    operation_id="get_content",
    media_type=ANY_BYTES,
    response_headers=[ResponseHeader(name="ETag", documentation_only=True, description="The document's SHA-256.")],
    responses=problem_responses(404, 422) | {304: _UNCHANGED},
    tags=_TAGS,
    **needs(Scope.READ, operation=ContentOperation),
)
async def get_content(
    request: ApiRequest, read_content: NamedDependency[ReadContent], document_id: DocumentId
) -> Response[bytes] | Stream:
    """The bytes of a document just as they came; 304 when the caller has them already."""
    content = await read_content(document_id)
    document = content.document
    headers = {"ETag": f'"{document.sha256}"', "Cache-Control": "private, no-cache"}
    if _is_known(document, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers)
    first = await anext(content.pieces, b"")  # before the status line: an outage is told as 503, not as a short body
    headers |= {
        "Content-Disposition": _disposition(document),
        "Content-Length": str(document.size_bytes),
        "Content-Type": media_type_of(document),  # as a header: the handler's media type would win otherwise
    }
    return Stream(_resumed(first, content.pieces), headers=headers)


async def _resumed(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()


def _is_known(document: Document, if_none_match: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or f'"{document.sha256}"' in tags


def _disposition(document: Document) -> str:
    """RFC 6266: a name for old clients, the right one (RFC 5987) for the others."""
    name = document.document_name
    plain = "".join(character if character.isascii() and character not in '"\\%' else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


HANDLERS = (get_document, get_content)
