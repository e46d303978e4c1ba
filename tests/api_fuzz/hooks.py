"""What schemathesis loads into its process: files that an upload may hold, so that some are taken."""

from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from api_fuzz.campaign import OWNER
from builders.archives import Entry, a_zip
from builders.uploads import CONVEYOR, ladder_csv
from builders.workbooks import a_template
from entrypoints.api.idempotency import REPLAYED_HEADER
from entrypoints.api.receive_document import FILE_FIELD
from entrypoints.api.receive_upload import COMMENT_FIELD, TEMPLATE_FIELD, USER_FIELD, ZIP_FIELD

_LADDER = a_zip(Entry(name=b"0000_11.csv", content=ladder_csv(CONVEYOR)))
_COMMENTS = "Device Name,Comment\r\nX1,도어 스위치\r\nY5,도어 잠금\r\n".encode()

_TOLD_AGAIN: set[str] = set()
# What schemathesis says where the part that it spoilt is one of the files, which the good ones below then replace.
_SPOILT_NOTHING = "Invalid component: positive test case"
AnyCase = schemathesis.Case[Any]
_FILES: dict[str, Any] = {
    ZIP_FIELD: _LADDER,
    TEMPLATE_FIELD: a_template("0000_11"),
    COMMENT_FIELD: _COMMENTS,
    FILE_FIELD: "# 점검\n\n도어 스위치를 확인한다.".encode(),
}
# The If-Match is missing, or of a state that is past.
_OF_THE_STATE = {412, 428}


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: AnyCase) -> AnyCase:
    """Files are such as may be taken, and whoever sends a good upload says who the key says they are."""
    form = _form_of(case)
    if files := {field: content for field, content in _FILES.items() if field in form}:
        case.body = {**form, **files}
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    if is_good and USER_FIELD in form:
        case.body = {**_form_of(case), USER_FIELD: OWNER}
    return case


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: AnyCase, response: schemathesis.Response) -> None:
    """Note which programs were told again under an Idempotency-Key: they may have been deleted since the first time."""
    if REPLAYED_HEADER.lower() in response.headers:
        _TOLD_AGAIN.add(response.json()["pgm_id"])


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: AnyCase, response: schemathesis.Response
) -> bool:
    """Whether it is one: a refusal for what no schema can say is none, nor is what was meant to be bad and is good."""
    if isinstance(failure, EnsureResourceAvailability):
        return (case.path_parameters or {}).get("pgm_id") not in _TOLD_AGAIN
    if isinstance(failure, AcceptedNegativeData):
        is_text = all(isinstance(value, str | bytes) for value in _form_of(case).values())  # a form says null as `null`
        return is_text and _SPOILT_NOTHING not in failure.message
    return not (isinstance(failure, RejectedPositiveData) and _is_beyond_a_schema(case, response))


def _is_beyond_a_schema(case: AnyCase, response: schemathesis.Response) -> bool:
    if response.status_code in _OF_THE_STATE:
        return True
    findings = response.json().get("findings", []) if response.status_code == 422 else []
    return bool(findings) and all(_is_known(finding, case) for finding in findings)


def _is_known(finding: dict[str, Any], case: AnyCase) -> bool:
    return (
        finding["field"] == "cursor"  # it is one that was given out
        or finding["field"] == "url"  # it leads to where something may be sent to
        or finding["field"] in {"address", "prefix"}  # a device is so called
        or finding["code"] == "create_user_mismatch"  # it is the name of the key
        or finding["message"] == "it holds a code point that is no character"  # patterns differ beyond U+FFFF
        or (
            finding["code"] == "field_blank" and _form_of(case).get(finding["field"]) == ""
        )  # schemathesis forgot minLength
    )


def _form_of(case: AnyCase) -> dict[str, Any]:
    return case.body if case.media_type == "multipart/form-data" and isinstance(case.body, dict) else {}
