"""Documents over HTTP: what is known of one, and its bytes."""

from litestar import Response, get, head
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.response import Stream

from application.read_content import ReadContent
from domain.caller import Scope
from domain.document import Document
from entrypoints.api.attachments import disposition, opened
from entrypoints.api.conditional import ETAG, UNCHANGED, answered, is_known, validators
from entrypoints.api.conversions import document_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.identifiers import DocumentId
from entrypoints.api.media_types import ANY_BYTES, media_type_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import ConditionalOperation, RangedOperation, problem_responses
from entrypoints.api.ranges import ACCEPT_RANGES, wanted_range
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import DocumentBody

_TAGS = ("documents",)
_PART = ResponseSpec(
    bytes, media_type=ANY_BYTES, generate_examples=False, description="The range of the bytes that was asked for."
)


@get(
    "/v1/documents/{document_id:str}",
    operation_id="get_document",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=_TAGS,
    **needs(Scope.READ, operation=ConditionalOperation),
)
async def get_document(
    request: ApiRequest, catalogue: CatalogueDependency, document_id: DocumentId
) -> Response[DocumentBody]:
    """One document and how far its indexing is."""
    return answered(request, document_body(await catalogue.document(document_id)))


@get(
    "/v1/documents/{document_id:str}/content",
    operation_id="get_content",
    media_type=ANY_BYTES,
    response_headers=[ETAG],
    responses=problem_responses(404, 416, 422) | UNCHANGED | {206: _PART},
    tags=_TAGS,
    **needs(Scope.READ, operation=RangedOperation),
)
async def get_content(
    request: ApiRequest, read_content: NamedDependency[ReadContent], document_id: DocumentId
) -> Response[bytes] | Stream:
    """The bytes of a document just as they came, or one range of them; 304 when the caller has them already."""
    content = await read_content(document_id)
    document, known = content.document, _validators(content.document)
    if is_known(request, known["ETag"]):
        return Response(b"", status_code=304, headers=known)
    part = wanted_range(request, tag=known["ETag"], size_bytes=document.size_bytes)
    headers = {**known, **_about(document), **(part.headers if part else {})}
    pieces = content.pieces(part.start, part.stop) if part else content.pieces(0, None)
    return Stream(await opened(pieces), headers=headers, status_code=206 if part else 200)


@head(
    "/v1/documents/{document_id:str}/content",
    operation_id="head_content",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=_TAGS,
    **needs(Scope.READ, operation=ConditionalOperation),
)
async def head_content(request: ApiRequest, catalogue: CatalogueDependency, document_id: DocumentId) -> Response[None]:
    """What the bytes of a document are, and how many."""
    document = await catalogue.document(document_id)
    known = _validators(document)
    if is_known(request, known["ETag"]):
        return Response(None, status_code=304, headers=known)
    return Response(None, headers={**known, **_about(document)})


def _validators(document: Document) -> dict[str, str]:
    return validators(f'"{document.sha256}"')


def _about(document: Document) -> dict[str, str]:
    return {
        **ACCEPT_RANGES,
        **disposition(document.document_name),
        "Content-Length": str(document.size_bytes),
        # As a header: the handler's media type would win otherwise.
        "Content-Type": media_type_of(document),
    }


HANDLERS = (get_document, get_content, head_content)
