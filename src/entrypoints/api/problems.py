"""The one table from what went wrong to the problem (RFC 9457) that a caller is answered."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from domain.attachments.registry import ATTACHMENTS
from domain.caller import Caller
from domain.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    InvalidUploadError,
    LadderbaseError,
    MisconfiguredError,
    NotFoundError,
    NotRemovableError,
    RateLimitedError,
    ReusedKeyError,
    TooLargeError,
    TooManyDocumentsError,
    UnauthenticatedError,
    UnavailableError,
)
from domain.findings import Finding, Severity, errors_among
from domain.further.further_document import MOST_DOCUMENTS
from domain.told import Told, told
from entrypoints.api.access_log import request_id_of
from entrypoints.api.codes import REQUESTS, of_findings
from entrypoints.api.conversions import finding_bodies
from entrypoints.api.field_messages import field_problem
from entrypoints.api.idempotency import KEY_HEADER
from entrypoints.api.languages import in_language, language_of, title_in
from entrypoints.api.outcomes import note_problem
from entrypoints.api.receive_document import FILE_FIELD as DOCUMENT_FIELD
from entrypoints.api.receive_upload import COMMENT_FIELD, TEMPLATE_FIELD, ZIP_FIELD
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError, RefusedRequestError
from entrypoints.api.schemas import FindingBody, ProblemBody
from entrypoints.api.security_log import note_refusal
from entrypoints.logs import log_fact

PROBLEM_MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="ladderbase"'
RETRY_AFTER_S = 5
RETRY_AFTER_MENDING_S = 60
_DISCONNECTED = "client disconnected prematurely"
_FIELD_SECTIONS = (
    {ZIP_FIELD: "ladder_zip", TEMPLATE_FIELD: "template", COMMENT_FIELD: "comment_file"}
    | {one.field: "attachment" for one in ATTACHMENTS.values()}
    | {DOCUMENT_FIELD: "document"}
)
_SENT_AS = {"part": "for", "idempotency_key": KEY_HEADER}  # names in Python, where `for` can be none
_KINDS = {
    "program": told("program"),
    "document": told("document"),
    "key": told("key"),
    "rung": told("rung"),
    "webhook": told("webhook"),
}
_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type_unsupported"}

_log = logging.getLogger(__name__)
AnyRequest = Request[Any, Any, Any]


def answer_error(request: AnyRequest, error: Exception) -> Response[ProblemBody]:
    """The answer to any error that leaves a handler."""
    if isinstance(error, LadderbaseError):
        return _of_the_core(request, error)
    if isinstance(error, RefusedRequestError):
        return _problem(request, error.code, error.detail, headers=error.headers)
    if isinstance(error, InvalidFieldsError):
        return _invalid_fields(request, error.problems, error.findings)
    if isinstance(error, HTTPException):
        return _of_the_framework(request, error)
    return _bug(request, error)


def _of_the_core(request: AnyRequest, error: LadderbaseError) -> Response[ProblemBody]:
    match error:
        case InvalidUploadError():
            answer = _invalid_upload(request, error)
        case InvalidRequestError():
            field = _SENT_AS.get(error.field, error.field)
            answer = _invalid_fields(request, [FieldProblem(field=field, code=error.code, message=error.message)])
        case UnauthenticatedError() | ForbiddenError():
            answer = _not_let_in(request, error)
        case TooLargeError():
            answer = _problem(request, "too_large", told("at most {most:,} bytes are taken", most=error.limit_bytes))
        case NotFoundError():
            kind = _KINDS.get(error.kind, error.kind)
            detail = told("there is no {kind} {identity}", kind=kind, identity=error.identity[:64])
            answer = _problem(request, "not_found", detail)
        case ConflictError():
            answer = _conflict(request, error)
        case RateLimitedError() | BusyError() | UnavailableError() | MisconfiguredError():
            answer = _not_now(request, error)
        case _:
            answer = _bug(request, error)
    return answer


def _of_the_framework(request: AnyRequest, error: HTTPException) -> Response[ProblemBody]:
    if error.detail == _DISCONNECTED:
        return _problem(request, "body_truncated", told("the body ended before its announced length"))
    if error.status_code >= 500:  # noqa: PLR2004 - the class of statuses
        return _bug(request, error)
    if fields := tuple(_named_fields(error)):
        return _invalid_fields(request, fields)
    code = _CODE_OF_STATUS.get(error.status_code, "request_invalid")
    return _problem(request, code, Told(REQUESTS[code][1], {}), headers=error.headers)


def _named_fields(error: HTTPException) -> Sequence[FieldProblem]:
    if not isinstance(error.extra, list):
        return ()
    return [
        field_problem(str(entry.get("message", "")), field=_SENT_AS.get(entry["key"], str(entry["key"])))
        for entry in error.extra
        if isinstance(entry, dict) and "key" in entry
    ]


def _invalid_fields(
    request: AnyRequest, problems: Sequence[FieldProblem], of_files: Sequence[Finding] = ()
) -> Response[ProblemBody]:
    language = language_of(request.scope)
    findings = tuple(
        FindingBody(
            section=_FIELD_SECTIONS.get(problem.field, "request"),
            code=problem.code,
            field=problem.field,
            file=problem.file,
            message=in_language(problem.message, language),
            hint=in_language(problem.hint, language),
            severity=Severity.ERROR,
        )
        for problem in problems
    )
    first = problems[0]
    errors = errors_among(tuple(of_files))
    codes = [problem.code for problem in problems] + [error.code for error in errors]
    return _of_findings(
        request,
        of_findings(codes, otherwise="fields_invalid"),
        _first(first.field, first.message, others=len(problems) + len(errors) - 1),
        (*findings, *finding_bodies(tuple(of_files), language)),
    )


def _invalid_upload(request: AnyRequest, error: InvalidUploadError) -> Response[ProblemBody]:
    errors = errors_among(error.findings)
    first = errors[0]
    place = told("{file}, row {row}", file=first.file, row=first.row) if first.row else first.file
    return _of_findings(
        request,
        of_findings([finding.code for finding in errors], otherwise="upload_invalid"),
        _first(place, first.message, others=len(errors) - 1),
        finding_bodies(error.findings, language_of(request.scope)),
    )


def _conflict(request: AnyRequest, error: ConflictError) -> Response[ProblemBody]:
    match error:
        case ReusedKeyError():
            return _problem(request, "idempotency_conflict", told("the request differs from the one under this key"))
        case NotRemovableError():
            detail = told("it came with the program's files: upload those anew, or delete the program")
            return _problem(request, "document_not_removable", detail)
        case TooManyDocumentsError():
            detail = told("it has {most:,} further documents, and no more are taken", most=MOST_DOCUMENTS)
            return _problem(request, "too_many_documents", detail)
    return _problem(request, "conflict", told("the state changed while the request was worked on"))


def _not_now(
    request: AnyRequest, error: RateLimitedError | BusyError | UnavailableError | MisconfiguredError
) -> Response[ProblemBody]:
    """Each says when to come again."""
    match error:
        case RateLimitedError() | BusyError():
            code = "busy" if isinstance(error, BusyError) else "rate_limited"
            return _problem(request, code, error.message, headers={"Retry-After": str(max(1, math.ceil(error.wait_s)))})
        case UnavailableError():
            return _unavailable(request, error)
        case MisconfiguredError():
            return _misconfigured(request, error)


def _unavailable(request: AnyRequest, error: UnavailableError) -> Response[ProblemBody]:
    request_id = request_id_of(request.scope)
    log_fact(
        _log, logging.WARNING, "unavailable", dependency=error.dependency, reason=error.reason, request_id=request_id
    )
    detail = told("the {dependency} gave no answer", dependency=error.dependency)
    return _problem(request, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _not_let_in(request: AnyRequest, error: UnauthenticatedError | ForbiddenError) -> Response[ProblemBody]:
    return _forbidden(request, error) if isinstance(error, ForbiddenError) else _unauthenticated(request, error)


def _unauthenticated(request: AnyRequest, error: UnauthenticatedError) -> Response[ProblemBody]:
    """What was wrong with it is for the log: whoever tries keys learns nothing of those that there are."""
    note_refusal(request.scope, error.reason, credential=error.credential)
    came = bool(request.headers.getall("authorization", []))
    detail = (
        told("what came in Authorization does not hold")
        if came
        else told("send `Authorization: Bearer` with a key or a token")
    )
    challenge = f'{CHALLENGE}, error="invalid_token"' if came else CHALLENGE
    return _problem(request, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _forbidden(request: AnyRequest, error: ForbiddenError) -> Response[ProblemBody]:
    caller: Caller = request.scope["user"]
    note_refusal(request.scope, str(error), credential=caller.credential, caller=caller.identity)
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{error.needed}"'
    detail = told("this needs the scope {needed}", needed=error.needed)
    return _problem(request, "forbidden", detail, headers={"WWW-Authenticate": challenge})


def _misconfigured(request: AnyRequest, error: MisconfiguredError) -> Response[ProblemBody]:
    """What is wrong is for the operator's log: it names settings and quotes servers."""
    request_id = request_id_of(request.scope)
    log_fact(_log, logging.ERROR, "misconfigured", reason=str(error), request_id=request_id)
    detail = told("a dependency and the settings disagree: the log says which, under this request id")
    return _problem(request, "misconfigured", detail, headers={"Retry-After": str(RETRY_AFTER_MENDING_S)})


def _bug(request: AnyRequest, error: Exception) -> Response[ProblemBody]:
    _log.error("a bug: request_id=%s", request_id_of(request.scope), exc_info=error)
    return _problem(request, "internal_error", told("the request was not carried out"))


def _of_findings(
    request: AnyRequest, kind: tuple[str, int, str], detail: Told, findings: tuple[FindingBody, ...]
) -> Response[ProblemBody]:
    body = _body(request, kind, detail, findings)
    return Response(body, status_code=body.status, media_type=PROBLEM_MEDIA_TYPE)


def _problem(
    request: AnyRequest, code: str, detail: Told, *, headers: Mapping[str, str] | None = None
) -> Response[ProblemBody]:
    body = _body(request, (code, *REQUESTS[code]), detail)
    return Response(body, status_code=body.status, media_type=PROBLEM_MEDIA_TYPE, headers=dict(headers or {}))


def _body(
    request: AnyRequest, kind: tuple[str, int, str], detail: Told, findings: tuple[FindingBody, ...] = ()
) -> ProblemBody:
    code, status, title = kind
    note_problem(request.scope, code)
    language = language_of(request.scope)
    return problem_of(
        code,
        status,
        title_in(title, language),
        detail=in_language(detail, language),
        request_id=request_id_of(request.scope),
        findings=findings,
    )


def problem_of(
    code: str, status: int, title: str, *, detail: str, request_id: str, findings: tuple[FindingBody, ...] = ()
) -> ProblemBody:
    """A problem as it is sent."""
    return ProblemBody(
        type=f"urn:ladderbase:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        findings=findings,
    )


def _first(place: str, message: Told, *, others: int) -> Told:
    if others:
        return told("{place}: {message} (and {count} more)", place=place, message=message, count=others)
    return told("{place}: {message}", place=place, message=message)
