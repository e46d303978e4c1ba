"""Operating the service over HTTP: how it stands, what failed, and giving it back."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.check_readiness import CheckReadiness
from application.retry_documents import RetryCommand, RetryDocuments
from application.retry_everywhere import RetryFailed, ReviveDead
from domain.caller import Scope
from entrypoints.api.conversions import indexing_href
from entrypoints.api.identifiers import Cursor, OfDocument, PageSize, PgmId
from entrypoints.api.languages import language_of
from entrypoints.api.needs import needs
from entrypoints.api.openapi import OptionalBodyOperation, problem_responses
from entrypoints.api.operation_conversions import failure_page, operations_body, retried_page
from entrypoints.api.operation_dependencies import OperationsDependency
from entrypoints.api.operation_schemas import (
    FailurePage,
    OperationsBody,
    RetriedBody,
    RetriedPage,
    RetryEverywhereRequest,
    RetryRequest,
)
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.strict_json import MAX_JSON_BYTES, strict_json

_TAGS = ("operations",)
_WHAT_FAILED = RetryRequest()


@get("/v1/operations", operation_id="get_operations", responses=problem_responses(), tags=_TAGS, **needs(Scope.READ))
async def get_operations(
    request: ApiRequest, operations: OperationsDependency, check_readiness: NamedDependency[CheckReadiness]
) -> OperationsBody:
    """How the service stands: documents by state, what waits longest and what for, outbox, indexes, uploads.

    Dependencies are those that are not ready; what is wrong with one is told to the scope admin alone.
    """
    overview, found = await operations.overview(), await check_readiness()
    return operations_body(overview, found, tells_all=request.user.may(Scope.ADMIN))


@get(
    "/v1/programs/{pgm_id:str}/failures",
    operation_id="list_failures",
    responses=problem_responses(404, 422),
    tags=_TAGS,
    **needs(Scope.READ),
)
async def list_failures(
    request: ApiRequest,
    operations: OperationsDependency,
    pgm_id: PgmId,
    *,
    document_id: OfDocument = None,
    limit: PageSize = 50,
    cursor: Cursor = None,
) -> FailurePage:
    """Every attempt to index documents of a program that failed, newest first; the oldest are forgotten in time."""
    page = await operations.failures(pgm_id, limit=limit, cursor=cursor, document_id=document_id)
    return failure_page(page, language_of(request.scope))


@post(
    "/v1/programs/{pgm_id:str}/retry",
    operation_id="retry_program",
    before_request=strict_json(RetryRequest, may_be_empty=True),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(404, 408, 413, 415, 422),
    status_code=202,
    tags=_TAGS,
    **needs(Scope.WRITE, operation=OptionalBodyOperation),
)
async def retry_program(
    retry_documents: NamedDependency[RetryDocuments], pgm_id: PgmId, data: JSONBody[RetryRequest] = _WHAT_FAILED
) -> RetriedBody:
    """Give documents of a program back to the workers; without a body, those that failed.

    Each is indexed anew, whatever is done to it now, and found again once it is.
    """
    command = RetryCommand(pgm_id=pgm_id, document_ids=data.document_ids, include=data.include)
    return RetriedBody(pgm_id=pgm_id, document_count=await retry_documents(command), href=indexing_href(pgm_id))


@post(
    "/v1/retry",
    operation_id="retry_everywhere",
    before_request=strict_json(RetryEverywhereRequest),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(408, 413, 415, 422),
    status_code=202,
    tags=_TAGS,
    **needs(Scope.ADMIN),
)
async def retry_everywhere(
    data: JSONBody[RetryEverywhereRequest],
    retry_failed: NamedDependency[RetryFailed],
    revive_dead: NamedDependency[ReviveDead],
) -> RetriedPage:
    """Give back, page by page, what failed in all programs, or the events that nobody tries any more."""
    retry = retry_failed if data.include == "failed" else revive_dead
    return retried_page(await retry(data.cursor))


HANDLERS = (get_operations, list_failures, retry_program, retry_everywhere)
