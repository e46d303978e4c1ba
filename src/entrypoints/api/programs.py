"""Programs over HTTP: upload, dry run, progress, deletion."""

from collections.abc import Sequence

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec

from application.amend_answer import AmendAnswer
from application.delete_program import DeleteProgram
from application.register_once import RegisterOnce
from application.register_program import RegisterCommand, Registered
from application.replace_files import Deduplicated, ReplaceCommand, ReplaceFiles
from application.validate_upload import ValidateUpload
from domain.caller import Scope
from domain.document import Document
from domain.idempotency import KeptAnswer
from entrypoints.api.conversions import (
    deduplicated_body,
    indexing_body,
    registered_body,
    validation_body,
)
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.idempotency import REPLAYED, key_of, rendered, response_of
from entrypoints.api.identifiers import PgmId
from entrypoints.api.inline_indexing import Indexing
from entrypoints.api.languages import LANGUAGE_HEADER, Language, language_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import DryRunOperation, ReplacementOperation, UploadOperation, problem_responses
from entrypoints.api.openapi_links import LinkedOperation
from entrypoints.api.receive_upload import DRY_RUN, REGISTRATION, REPLACEMENT, UploadReception
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import DeduplicatedBody, IndexingBody, RegisteredBody, ValidationBody

MAX_FAILURES = 100
_TAGS = ("programs",)
_UPLOAD_ERRORS = (408, 413, 415, 422)
_DEDUPLICATED = ResponseSpec(
    DeduplicatedBody, generate_examples=False, description="The latest revision has just these files already."
)

# The framework makes nothing of an answer that is one of two.
_REPLACED = ResponseSpec(RegisteredBody, generate_examples=False, description="The new revision.")


@post(
    "/v1/programs",
    operation_id="register_program",
    request_max_body_size=None,  # the reception counts: its limit comes with the settings
    response_headers=[REPLAYED],
    responses=problem_responses(409, *_UPLOAD_ERRORS),
    tags=_TAGS,
    **needs(Scope.WRITE, draws_on="uploads", operation=UploadOperation),
)
async def register(
    request: ApiRequest,
    *,
    reception: NamedDependency[UploadReception],
    register_once: NamedDependency[RegisterOnce],
    amend_answer: NamedDependency[AmendAnswer],
    validate_upload: NamedDependency[ValidateUpload],
    indexing: NamedDependency[Indexing],
    catalogue: CatalogueDependency,
) -> Response[RegisteredBody]:
    """Register a program: all of it or nothing. Every problem of every file comes in one answer."""
    key, language = key_of(request, operation="register_program"), language_of(request.scope)
    async with reception.receive(request, form=REGISTRATION) as received:
        await received.require_usable(validate_upload)
        command = RegisterCommand(details=received.details, upload=received.upload)
        outcome = await register_once(command, key, render=lambda registered: _answer(registered, indexing, language))
    if isinstance(outcome, KeptAnswer):
        return response_of(outcome.answer, is_replay=True)
    documents = await indexing.documents_after(outcome, catalogue)
    answer = _answer(outcome, indexing, language, documents)
    if key and documents is not outcome.registration.documents:  # indexed meanwhile: more than the commit could know
        await amend_answer(key, answer)
    return response_of(answer)


def _answer(
    registered: Registered, indexing: Indexing, language: Language, documents: Sequence[Document] | None = None
) -> bytes:
    """With the documents as they were registered, or as they are by now."""
    documents = documents or registered.registration.documents
    body = registered_body(registered, documents, processing=indexing.processing, language=language)
    headers = {"Location": f"/v1/programs/{body.pgm_id}", LANGUAGE_HEADER: language.value}
    return rendered(body, status=201, headers=headers)


@put(
    "/v1/programs/{pgm_id:str}/files",
    operation_id="replace_files",
    request_max_body_size=None,
    responses=problem_responses(404, 409, *_UPLOAD_ERRORS) | {200: _DEDUPLICATED, 201: _REPLACED},
    status_code=201,
    tags=_TAGS,
    **needs(Scope.WRITE, draws_on="uploads", operation=ReplacementOperation),
)
async def replace_files(
    request: ApiRequest,
    pgm_id: PgmId,
    *,
    reception: NamedDependency[UploadReception],
    replace_files: NamedDependency[ReplaceFiles],
    validate_upload: NamedDependency[ValidateUpload],
    indexing: NamedDependency[Indexing],
    catalogue: CatalogueDependency,
) -> Response[RegisteredBody] | Response[DeduplicatedBody]:
    """Upload a program's files anew: a revision that takes the place of the present one once all of it is indexed.

    The present one answers until then, and goes on where the new one fails. What the latest revision has already,
    byte for byte, is not stored again: that is a 200. A comment file that is left out is no comments.
    """
    location = {"Location": f"/v1/programs/{pgm_id}"}
    async with reception.receive(request, form=REPLACEMENT) as received:
        await received.require_usable(validate_upload)
        replaced = await replace_files(
            ReplaceCommand(pgm_id=pgm_id, create_user=received.details.create_user, upload=received.upload)
        )
    if isinstance(replaced, Deduplicated):
        return Response(deduplicated_body(await catalogue.program(pgm_id)), status_code=200, headers=location)
    documents = await indexing.documents_after(replaced, catalogue)
    language = language_of(request.scope)
    body = registered_body(replaced, documents, processing=indexing.processing, language=language)
    return Response(body, headers=location)


@post(
    "/v1/programs/validate",
    operation_id="validate_upload",
    request_max_body_size=None,
    responses=problem_responses(*_UPLOAD_ERRORS),
    status_code=200,
    tags=_TAGS,
    **needs(Scope.WRITE, draws_on="uploads", operation=DryRunOperation),
)
async def validate(
    request: ApiRequest,
    reception: NamedDependency[UploadReception],
    validate_upload: NamedDependency[ValidateUpload],
) -> ValidationBody:
    """Dry run: the report that a registration would make, valid or not. Nothing is stored."""
    async with reception.receive(request, form=DRY_RUN) as received:
        await received.require_usable(validate_upload)
        return validation_body(await validate_upload(received.upload), language_of(request.scope))


@get(
    "/v1/programs/{pgm_id:str}/indexing",
    operation_id="get_indexing",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def get_indexing(request: ApiRequest, catalogue: CatalogueDependency, pgm_id: PgmId) -> IndexingBody:
    """How far the indexing of a program's latest revision is, and what failed."""
    view = await catalogue.program(pgm_id)
    failed = await catalogue.failures(pgm_id, limit=MAX_FAILURES)
    return indexing_body(view, failed, language_of(request.scope))


@delete(
    "/v1/programs/{pgm_id:str}",
    operation_id="delete_program",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.WRITE, operation=LinkedOperation),
)
async def remove(delete_program: NamedDependency[DeleteProgram], pgm_id: PgmId) -> None:
    """Delete a program: out of every answer at once, purged everywhere soon after."""
    await delete_program(pgm_id)


HANDLERS = (
    register,
    replace_files,
    validate,
    get_indexing,
    remove,
)
