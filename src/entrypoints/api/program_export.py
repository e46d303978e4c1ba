"""A whole program over HTTP, as one file."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from application.export_program import ExportProgram
from domain.caller import Scope
from domain.export import file_name
from entrypoints.api.attachments import disposition, opened
from entrypoints.api.conditional import ETAG, UNCHANGED, is_known, validators
from entrypoints.api.identifiers import PgmId, Revision
from entrypoints.api.needs import needs
from entrypoints.api.openapi import ArchiveOperation, problem_responses
from entrypoints.api.request_body import ApiRequest


@get(
    "/v1/programs/{pgm_id:str}/content",
    operation_id="download_program",
    media_type="application/zip",
    response_headers=[ETAG],
    responses=problem_responses(404, 422) | UNCHANGED,
    tags=("programs",),
    **needs(Scope.READ, operation=ArchiveOperation),
)
async def download_program(
    request: ApiRequest, export_program: NamedDependency[ExportProgram], pgm_id: PgmId, revision: Revision = None
) -> Response[bytes] | Stream:
    """All documents of a program in one ZIP, made while it is sent: the ladder CSVs are called as their logics.

    The ladder ZIP as it was uploaded is a document of its own, and not in here once more.
    """
    exported = await export_program(pgm_id, revision=revision)
    known = validators(f'W/"{exported.digest}"')  # the same files, packed by another zlib, are other bytes
    if is_known(request, known["ETag"]):
        return Response(b"", status_code=304, headers=known)
    name = disposition(f"{file_name(exported.program.details.pgm_name)}.zip")
    return Stream(await opened(exported.pieces), headers={**known, **name, "Content-Type": "application/zip"})


HANDLERS = (download_program,)
