"""Operating the service over HTTP: what failed."""

from litestar import get

from entrypoints.api.identifiers import Cursor, OfDocument, PageSize, PgmId
from entrypoints.api.openapi import problem_responses
from entrypoints.api.operation_conversions import failure_page
from entrypoints.api.operation_dependencies import OperationsDependency
from entrypoints.api.operation_schemas import FailurePage

_TAGS = ("operations",)


@get(
    "/v1/programs/{pgm_id:str}/failures",
    operation_id="list_failures",
    responses=problem_responses(404, 422),
    tags=_TAGS,
)
async def list_failures(
    operations: OperationsDependency,
    pgm_id: PgmId,
    *,
    document_id: OfDocument = None,
    limit: PageSize = 50,
    cursor: Cursor = None,
) -> FailurePage:
    """Every attempt to index documents of a program that failed, newest first; the oldest are forgotten in time."""
    return failure_page(await operations.failures(pgm_id, limit=limit, cursor=cursor, document_id=document_id))


HANDLERS = (list_failures,)
