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
    RateLimitedError,
    ReusedKeyError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from domain.findings import Finding, Severity, errors_among
from entrypoints.api.access_log import request_id_of
from entrypoints.api.conversions import finding_bodies
from entrypoints.api.field_messages import field_problem
from entrypoints.api.idempotency import KEY_HEADER
from entrypoints.api.receive_upload import COMMENT_FIELD, TEMPLATE_FIELD, ZIP_FIELD
from entrypoints.api.refusals import FieldProblem, InvalidFieldsError, RefusedRequestError
from entrypoints.api.schemas import FindingBody, ProblemBody
from entrypoints.api.security_log import note_refusal

PROBLEM_MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="ladderbase"'
RETRY_AFTER_S = 5
RETRY_AFTER_MENDING_S = 60
_DISCONNECTED = "client disconnected prematurely"
_FIELD_SECTIONS = {ZIP_FIELD: "ladder_zip", TEMPLATE_FIELD: "template", COMMENT_FIELD: "comment_file"} | {
    one.field: "attachment" for one in ATTACHMENTS.values()
}
_SENT_AS = {"part": "for", "idempotency_key": KEY_HEADER}  # names in Python, where `for` can be none
_OF_ANOTHER_TYPE = frozenset({"type_mismatch", "type_unsupported"})

_KINDS: Mapping[str, tuple[int, str]] = {
    "request_invalid": (400, "The request cannot be read: correct it and send it again."),
    "multipart_malformed": (400, "The form cannot be read: send it as complete multipart/form-data."),
    "body_truncated": (400, "The body is incomplete: send it again."),
    "too_many_fields": (400, "The form has too many parts: send only the documented fields."),
    "field_too_large": (400, "A text field is too large: shorten it."),
    "unauthenticated": (401, "Nobody knows who asks: send an API key or a token that holds."),
    "forbidden": (403, "The key or the token does not allow this: use one with the scope that is needed."),
    "not_found": (404, "There is no such thing here, or no longer."),
    "method_not_allowed": (405, "This method is not served here: see the Allow header."),
    "request_timeout": (408, "The request came too slowly: send it again."),
    "conflict": (409, "Somebody else moved on first: read the present state and decide again."),
    "idempotency_conflict": (409, "The key is that of another request: send this one under a key of its own."),
    "too_large": (413, "The request holds too many bytes: send less."),
    "encoding_unsupported": (415, "The content encoding is not supported: send the body as it is."),
    "media_type_unsupported": (415, "The content type is not supported: see the Content-Type that is documented."),
    "json_invalid": (422, "The body is no JSON: correct it and send it again."),
    "json_shape": (422, "The body is not the JSON object that is due: correct it and send it again."),
    "json_too_deep": (422, "The JSON is nested too deep: flatten it."),
    "json_number": (422, "A number in the JSON is too long: shorten it."),
    "json_duplicate_key": (422, "The JSON names a key twice: send each once."),
    "fields_invalid": (422, "Fields of the request cannot be used: correct those that the findings name."),
    "upload_invalid": (422, "The upload cannot be registered: correct what the findings name and send it again."),
    "rate_limited": (429, "Too many requests of this caller: send it again after the seconds that Retry-After names."),
    "internal_error": (500, "Something broke here: report the request id."),
    "unavailable": (503, "The service cannot do this now: try again later."),
    "busy": (503, "No place is left: send it again after the seconds that Retry-After names."),
    "misconfigured": (503, "The service is wrongly configured: its operator must act."),
}
_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type_unsupported"}

_log = logging.getLogger(__name__)
AnyRequest = Request[Any, Any, Any]


def answer_error(request: AnyRequest, error: Exception) -> Response[ProblemBody]:
    """The answer to any error that leaves a handler."""
    if isinstance(error, LadderbaseError):
        return _of_the_core(request, error)
    if isinstance(error, RefusedRequestError):
        return _problem(request, error.code, error.detail)
    if isinstance(error, InvalidFieldsError):
        return _invalid_fields(request, error.problems, error.findings)
    if isinstance(error, HTTPException):
        return _of_the_framework(request, error)
    return _bug(request, error)


def problem_body(code: str, detail: str, *, request_id: str) -> ProblemBody:
    """A problem of the table as it is answered to whoever has not even made a request."""
    status, title = _KINDS[code]
    return ProblemBody(
        type=f"urn:ladderbase:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        findings=(),
    )


def _of_the_core(request: AnyRequest, error: LadderbaseError) -> Response[ProblemBody]:
    match error:
        case InvalidUploadError():
            answer = _invalid_upload(request, error)
        case InvalidRequestError():
            field = _SENT_AS.get(error.field, error.field)
            answer = _invalid_fields(request, [FieldProblem(field=field, code=error.code, message=str(error))])
        case UnauthenticatedError() | ForbiddenError():
            answer = _not_let_in(request, error)
        case TooLargeError():
            answer = _problem(request, "too_large", f"at most {error.limit_bytes:,} bytes are taken")
        case NotFoundError():
            answer = _problem(request, "not_found", f"there is no {error.kind} {error.identity[:64]}")
        case ReusedKeyError():
            answer = _problem(request, "idempotency_conflict", "the request differs from the one under this key")
        case ConflictError():
            answer = _problem(request, "conflict", "the state changed while the request was worked on")
        case RateLimitedError() | BusyError() | UnavailableError() | MisconfiguredError():
            answer = _not_now(request, error)
        case _:
            answer = _bug(request, error)
    return answer


def _of_the_framework(request: AnyRequest, error: HTTPException) -> Response[ProblemBody]:
    if error.detail == _DISCONNECTED:
        return _problem(request, "body_truncated", "the body ended before its announced length")
    if error.status_code >= 500:  # noqa: PLR2004 - the class of statuses
        return _bug(request, error)
    if fields := tuple(_named_fields(error)):
        return _invalid_fields(request, fields)
    code = _CODE_OF_STATUS.get(error.status_code, "request_invalid")
    return _problem(request, code, _KINDS[code][1], headers=error.headers)


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
    findings = tuple(
        FindingBody(
            section=_FIELD_SECTIONS.get(problem.field, "request"),
            code=problem.code,
            field=problem.field,
            file=problem.file,
            message=problem.message,
            hint=problem.hint,
            severity=Severity.ERROR,
        )
        for problem in problems
    )
    first = problems[0]
    errors = errors_among(tuple(of_files))
    return _problem(
        request,
        _common_code(
            [*(problem.code for problem in problems), *(error.code for error in errors)], otherwise="fields_invalid"
        ),
        f"{first.field}: {first.message}" + _and_more(len(problems) + len(errors) - 1),
        title=_KINDS["fields_invalid"][1],
        status=422,
        findings=(*findings, *finding_bodies(tuple(of_files))),
    )


def _invalid_upload(request: AnyRequest, error: InvalidUploadError) -> Response[ProblemBody]:
    errors = errors_among(error.findings)
    codes = [finding.code for finding in errors]
    first = errors[0]
    place = f"{first.file}, row {first.row}" if first.row else first.file
    return _problem(
        request,
        _common_code(codes, otherwise="upload_invalid"),
        f"{place}: {first.message}" + _and_more(len(errors) - 1),
        title=_KINDS["upload_invalid"][1],
        status=415 if _OF_ANOTHER_TYPE.issuperset(codes) else 422,
        findings=finding_bodies(error.findings),
    )


def _not_now(
    request: AnyRequest, error: RateLimitedError | BusyError | UnavailableError | MisconfiguredError
) -> Response[ProblemBody]:
    """Each says when to come again."""
    match error:
        case RateLimitedError() | BusyError():
            code = "busy" if isinstance(error, BusyError) else "rate_limited"
            return _problem(request, code, str(error), headers={"Retry-After": str(max(1, math.ceil(error.wait_s)))})
        case UnavailableError():
            return _unavailable(request, error)
        case MisconfiguredError():
            return _misconfigured(request, error)


def _unavailable(request: AnyRequest, error: UnavailableError) -> Response[ProblemBody]:
    request_id = request_id_of(request.scope)
    _log.warning("unavailable dependency=%s reason=%s request_id=%s", error.dependency, error.reason, request_id)
    detail = f"the {error.dependency} gave no answer"
    return _problem(request, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _not_let_in(request: AnyRequest, error: UnauthenticatedError | ForbiddenError) -> Response[ProblemBody]:
    return _forbidden(request, error) if isinstance(error, ForbiddenError) else _unauthenticated(request, error)


def _unauthenticated(request: AnyRequest, error: UnauthenticatedError) -> Response[ProblemBody]:
    """What was wrong with it is for the log: whoever tries keys learns nothing of those that there are."""
    note_refusal(request.scope, error.reason, credential=error.credential)
    came = bool(request.headers.getall("authorization", []))
    detail = (
        "what came in Authorization does not hold" if came else "send `Authorization: Bearer` with a key or a token"
    )
    challenge = f'{CHALLENGE}, error="invalid_token"' if came else CHALLENGE
    return _problem(request, "unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _forbidden(request: AnyRequest, error: ForbiddenError) -> Response[ProblemBody]:
    caller: Caller = request.scope["user"]
    note_refusal(request.scope, str(error), credential=caller.credential, caller=caller.identity)
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{error.needed}"'
    return _problem(request, "forbidden", str(error), headers={"WWW-Authenticate": challenge})


def _misconfigured(request: AnyRequest, error: MisconfiguredError) -> Response[ProblemBody]:
    """What is wrong is for the operator's log: it names settings and quotes servers."""
    request_id = request_id_of(request.scope)
    _log.error("misconfigured reason=%s request_id=%s", error, request_id)
    detail = "a dependency and the settings disagree: the log says which, under this request id"
    return _problem(request, "misconfigured", detail, headers={"Retry-After": str(RETRY_AFTER_MENDING_S)})


def _bug(request: AnyRequest, error: Exception) -> Response[ProblemBody]:
    _log.error("a bug: request_id=%s", request_id_of(request.scope), exc_info=error)
    return _problem(request, "internal_error", "the request was not carried out")


def _problem(
    request: AnyRequest,
    code: str,
    detail: str,
    *,
    title: str = "",
    status: int = 0,
    findings: tuple[FindingBody, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response[ProblemBody]:
    known_status, known_title = _KINDS.get(code, (status, title))
    body = ProblemBody(
        type=f"urn:ladderbase:problem:{code}",
        title=title or known_title,
        status=status or known_status,
        detail=detail,
        code=code,
        request_id=request_id_of(request.scope),
        findings=findings,
    )
    return Response(body, status_code=body.status, media_type=PROBLEM_MEDIA_TYPE, headers=dict(headers or {}))


def _common_code(codes: Sequence[str], *, otherwise: str) -> str:
    return codes[0] if len(set(codes)) == 1 else otherwise


def _and_more(count: int) -> str:
    return f" (and {count} more)" if count else ""
