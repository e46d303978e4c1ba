"""What the edge itself refuses, before a use case is called."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.findings import Finding
from domain.told import Told

NOTHING = Told("", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """A field of the request that cannot be used; `file` is the name of the file that was sent in it."""

    field: str
    code: str
    message: Told
    hint: Told = NOTHING
    file: str | None = None


class RefusedRequestError(Exception):
    """The request cannot be read at all; `code` is one of REQUESTS in codes.py."""

    def __init__(self, code: str, detail: Told, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = headers


class InvalidFieldsError(Exception):
    """The request was read and these fields of it cannot be used: all of them, not the first alone.

    `findings` are what its files brought to light besides.
    """

    def __init__(self, problems: tuple[FieldProblem, ...], findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(f"{len(problems)} fields cannot be used")
        self.problems = problems
        self.findings = findings
