"""What came of a request, in words of which there are few: for whoever counts."""

from collections.abc import Mapping

from litestar.types import Scope

from entrypoints.api.idempotency import REPLAYED_HEADER

_KEY = "problem_code"
_DONE: Mapping[tuple[str, int], str] = {("replace_files", 200): "unchanged", ("validate_upload", 200): "checked"}
_NOTHING = 0


def note_problem(scope: Scope, code: str) -> None:
    """The answer is this problem."""
    scope.setdefault("state", {})[_KEY] = code


def upload_result(scope: Scope, operation: str, status: int, headers: Mapping[bytes, bytes]) -> str:
    """`accepted`, `replayed`, `unchanged`, `checked`, the code of a problem, or `broken_off` without an answer."""
    if status == _NOTHING:
        return "broken_off"
    if REPLAYED_HEADER.lower().encode() in headers:
        return "replayed"
    return str(scope.setdefault("state", {}).get(_KEY) or _DONE.get((operation, status), "accepted"))
