"""Further documents of a program over HTTP: add one, remove one."""

from litestar import Response, delete, post
from litestar.di import NamedDependency

from application.add_document import AddDocumentCommand, AddDocumentOnce
from application.amend_answer import AmendAnswer
from application.remove_document import RemoveDocument
from domain.caller import Scope
from domain.document import Document
from domain.idempotency import KeptAnswer
from entrypoints.api.conversions import document_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.document_openapi import DocumentOperation
from entrypoints.api.idempotency import REPLAYED, key_of, rendered, response_of
from entrypoints.api.identifiers import DocumentId, PgmId
from entrypoints.api.inline_indexing import Indexing
from entrypoints.api.languages import LANGUAGE_HEADER, Language, language_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.openapi_links import LinkedOperation
from entrypoints.api.receive_document import DocumentReception
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import DocumentBody

_TAGS = ("documents",)
_OPERATION = "add_document"


@post(
    "/v1/programs/{pgm_id:str}/documents",
    operation_id=_OPERATION,
    request_max_body_size=None,  # the reception counts: its limit comes with the settings
    response_headers=[REPLAYED],
    responses=problem_responses(404, 408, 409, 413, 415, 422),
    tags=_TAGS,
    **needs(Scope.WRITE, draws_on="uploads", operation=DocumentOperation),
)
async def add_document(
    request: ApiRequest,
    pgm_id: PgmId,
    *,
    document_reception: NamedDependency[DocumentReception],
    add_document_once: NamedDependency[AddDocumentOnce],
    amend_answer: NamedDependency[AmendAnswer],
    indexing: NamedDependency[Indexing],
    catalogue: CatalogueDependency,
) -> Response[DocumentBody]:
    """Add one further document to a program: a table, a text or a PDF, which searches find beside the rungs.

    It belongs to the program, whichever revision answers. One of the same name gives way to it and keeps its id.
    """
    key, language = key_of(request, operation=_OPERATION), language_of(request.scope)
    async with document_reception.receive(request) as received:
        command = AddDocumentCommand(pgm_id=pgm_id, details=received.details, file=received.file)
        outcome = await add_document_once(command, key, render=lambda added: _answer(added.document, language))
    if isinstance(outcome, KeptAnswer):
        return response_of(outcome.answer, is_replay=True)
    document = await indexing.document_after(outcome, catalogue)
    answer = _answer(document, language)
    if key and document is not outcome.document:  # indexed meanwhile: more than the commit could know
        await amend_answer(key, answer)
    return response_of(answer)


def _answer(document: Document, language: Language) -> bytes:
    headers = {"Location": f"/v1/documents/{document.document_id}", LANGUAGE_HEADER: language.value}
    return rendered(document_body(document), status=201, headers=headers)


@delete(
    "/v1/programs/{pgm_id:str}/documents/{document_id:str}",
    operation_id="remove_document",
    responses=problem_responses(404, 409, 422),
    tags=_TAGS,
    **needs(Scope.WRITE, operation=LinkedOperation),
)
async def remove_document(
    remove_document: NamedDependency[RemoveDocument], pgm_id: PgmId, document_id: DocumentId
) -> None:
    """Remove a further document: out of every answer at once, purged everywhere soon after.

    What came with the program's files stays as long as they do: that is a 409.
    """
    await remove_document(pgm_id, document_id)


HANDLERS = (add_document, remove_document)
