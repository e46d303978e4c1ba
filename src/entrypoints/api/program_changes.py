"""Changes of programs over HTTP that need no upload: what is said of one, and deleting many."""

from dataclasses import replace
from typing import Any

from litestar import Response, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.amend_program import AmendCommand, AmendProgram
from application.delete_programs import DeletePrograms, Deletion
from domain.caller import Scope
from domain.errors import ConflictError
from domain.program import DetailChanges
from entrypoints.api.conditional import ETAG, etag_of_body, fresh, require_match, stale
from entrypoints.api.conversions import program_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.identifiers import PgmId
from entrypoints.api.needs import needs
from entrypoints.api.openapi import AmendmentOperation, problem_responses
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError
from entrypoints.api.request_body import ApiRequest
from entrypoints.api.schemas import AmendRequest, DeleteProgramsRequest, DeletionBody, DeletionsBody, ProgramBody
from entrypoints.api.security_log import note_objects
from entrypoints.api.strict_json import MAX_JSON_BYTES, strict_json
from entrypoints.api.texts import TEXTS_WITH_LINES, InvalidTextError, plain_text

_TAGS = ("programs",)
_BODY_ERRORS = (408, 413, 415, 422)


@patch(
    "/v1/programs/{pgm_id:str}",
    operation_id="amend_program",
    before_request=strict_json(AmendRequest),
    request_max_body_size=MAX_JSON_BYTES,
    response_headers=[ETAG],
    responses=problem_responses(404, 412, 428, *_BODY_ERRORS),
    tags=_TAGS,
    **needs(Scope.WRITE, operation=AmendmentOperation),
)
async def amend(
    request: ApiRequest,
    *,
    data: JSONBody[AmendRequest],
    catalogue: CatalogueDependency,
    amend_program: NamedDependency[AmendProgram],
    pgm_id: PgmId,
) -> Response[ProgramBody]:
    """Change the name, the version, the description or the notes of a program, if it still is as the caller read it."""
    changes = _changes(data)
    view = await catalogue.program(pgm_id)
    is_whatever = require_match(request, etag_of_body(program_body(view)))
    if not changes.named():
        return fresh(program_body(view))
    command = AmendCommand(pgm_id=pgm_id, changes=changes, seen=None if is_whatever else view.program)
    try:
        amended = await amend_program(command)
    except ConflictError as error:  # between the two
        raise stale() from error
    return fresh(program_body(replace(view, program=amended)))


@post(
    "/v1/programs/delete",
    operation_id="delete_programs",
    before_request=strict_json(DeleteProgramsRequest),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(*_BODY_ERRORS),
    status_code=200,
    tags=_TAGS,
    **needs(Scope.WRITE),
)
async def remove_many(
    request: ApiRequest, data: JSONBody[DeleteProgramsRequest], delete_programs: NamedDependency[DeletePrograms]
) -> DeletionsBody:
    """Delete programs, each by itself. Repeatable: one that is gone already is `absent`, and no error."""
    deletions = await delete_programs(data.pgm_ids)
    deleted = [pgm_id for pgm_id, result in deletions.items() if result is Deletion.DELETED]
    note_objects(request.scope, deleted)
    items = tuple(DeletionBody(pgm_id=pgm_id, result=result) for pgm_id, result in deletions.items())
    return DeletionsBody(items=items, deleted=len(deleted))


def _changes(sent: AmendRequest) -> DetailChanges:
    """The texts as they are kept. Raises InvalidFieldsError for all that cannot be."""
    kept: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for name in AmendRequest.__struct_fields__:
        text = getattr(sent, name)
        if text is None:
            continue
        try:
            kept[name] = plain_text(text, lines=name in TEXTS_WITH_LINES)
        except InvalidTextError as error:
            problems.append(FieldProblem(field=name, code="text_invalid", message=error.message))
    if problems:
        raise InvalidFieldsError(tuple(problems))
    return DetailChanges(**kept)


HANDLERS = (amend, remove_many)
