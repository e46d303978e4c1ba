"""Reads of programs over HTTP: listing, program, documents, template. Who has an answer already is told so."""

from litestar import Response, get

from domain.caller import Scope
from domain.ports.catalogue import ProgramSort
from entrypoints.api.conditional import ETAG, UNCHANGED, answered
from entrypoints.api.conversions import document_page, program_body, program_page, template_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.identifiers import Cursor, PageSize, PgmId, Revision
from entrypoints.api.listing_filters import (
    CreatedFrom,
    CreatedTo,
    InFolder,
    NamePart,
    OfStatus,
    OfUser,
    OnlyProgram,
    Sort,
    Total,
    program_filter,
)
from entrypoints.api.needs import needs
from entrypoints.api.openapi import ConditionalOperation, problem_responses
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import DocumentPage, ProgramBody, ProgramPage, TemplateBody

_TAGS = ("programs",)


@get("/v1/programs", operation_id="list_programs", responses=problem_responses(422), tags=_TAGS, **needs(Scope.READ))
async def list_programs(
    catalogue: CatalogueDependency,
    *,
    pgm_id: OnlyProgram = None,
    name: NamePart = None,
    status: OfStatus = None,
    create_user: OfUser = None,
    folder: InFolder = None,
    created_from: CreatedFrom = None,
    created_to: CreatedTo = None,
    sort: Sort = ProgramSort.NEWEST,
    total: Total = False,
    limit: PageSize = 50,
    cursor: Cursor = None,
) -> ProgramPage:
    """The registered programs that all filters hold for, newest first unless told.

    A cursor goes on in the listing that it was given out for: with other filters, or in another order, it is a 422.
    """
    only = program_filter(
        pgm_id=pgm_id,
        name=name,
        status=status,
        create_user=create_user,
        folder=folder,
        created_from=created_from,
        created_to=created_to,
    )
    page = await catalogue.programs(limit=limit, cursor=cursor, only=only, sort=sort)
    return program_page(page, total=await catalogue.count_programs(only) if total else None)


@get(
    "/v1/programs/{pgm_id:str}",
    operation_id="get_program",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=_TAGS,
    **needs(Scope.READ, operation=ConditionalOperation),
)
async def get_program(request: ApiRequest, catalogue: CatalogueDependency, pgm_id: PgmId) -> Response[ProgramBody]:
    """One program and how far its indexing is. Its ETag is what a change of it needs."""
    return answered(request, program_body(await catalogue.program(pgm_id)))


@get(
    "/v1/programs/{pgm_id:str}/documents",
    operation_id="list_documents",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=_TAGS,
    **needs(Scope.READ, operation=ConditionalOperation),
)
async def list_documents(
    request: ApiRequest,
    catalogue: CatalogueDependency,
    pgm_id: PgmId,
    *,
    limit: PageSize = 100,
    cursor: Cursor = None,
    revision: Revision = None,
) -> Response[DocumentPage]:
    """The documents of a program: the uploaded files first, then the ladder CSVs in template order."""
    page = await catalogue.documents(pgm_id, limit=limit, cursor=cursor, revision=revision)
    return answered(request, document_page(page))


@get(
    "/v1/programs/{pgm_id:str}/template",
    operation_id="get_template",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=_TAGS,
    **needs(Scope.READ, operation=ConditionalOperation),
)
async def get_template(request: ApiRequest, catalogue: CatalogueDependency, pgm_id: PgmId) -> Response[TemplateBody]:
    """The template as a tree: folder, sub folder, logic."""
    return answered(request, template_body(pgm_id, await catalogue.template(pgm_id)))


HANDLERS = (list_programs, get_program, list_documents, get_template)
