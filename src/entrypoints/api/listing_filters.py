"""Which programs a listing is asked for: its parameters, and what they say to the catalogue."""

import re
from datetime import UTC, datetime
from typing import Annotated

from litestar.params import QueryParameter

from domain.errors import InvalidRequestError
from domain.ports.catalogue import ProgramFilter, ProgramSort
from domain.program import ProgramStatus
from domain.told import told
from entrypoints.api.schemas import PGM_ID_PATTERN
from entrypoints.api.texts import LINE, InvalidTextError, plain_text

_MAX_CHARACTERS = 255
_MOMENT = {"format": "date-time"}
_OF_A_LINE = {"pattern": LINE}  # said and not checked: the code is that of texts
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)

OnlyProgram = Annotated[str | None, QueryParameter(pattern=PGM_ID_PATTERN, description="Only this program.")]
NamePart = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=_MAX_CHARACTERS,
        schema_extra=_OF_A_LINE,
        description="Only programs with this in their name, in any case and width. No character is a wildcard.",
    ),
]
OfStatus = Annotated[
    ProgramStatus | None,
    QueryParameter(description="Only programs of which the revision that answers has this indexing status."),
]
OfUser = Annotated[
    str | None,
    QueryParameter(
        min_length=1, max_length=_MAX_CHARACTERS, pattern=LINE, description="Only programs that just this user created."
    ),
]
InFolder = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=_MAX_CHARACTERS,
        schema_extra=_OF_A_LINE,
        description="Only programs of which the template has a folder with just this id or name.",
    ),
]
CreatedFrom = Annotated[
    str | None,
    QueryParameter(schema_extra=_MOMENT, max_length=40, description="Only programs created then or later (RFC 3339)."),
]
CreatedTo = Annotated[
    str | None,
    QueryParameter(schema_extra=_MOMENT, max_length=40, description="Only programs created before (RFC 3339)."),
]
Sort = Annotated[ProgramSort, QueryParameter(description="The order; of equal names the older program comes first.")]
Total = Annotated[bool, QueryParameter(description="Whether `total` says how many programs there are on all pages.")]


def program_filter(
    *,
    pgm_id: str | None,
    name: str | None,
    status: ProgramStatus | None,
    create_user: str | None,
    folder: str | None,
    created_from: str | None,
    created_to: str | None,
) -> ProgramFilter:
    """What the parameters ask for. Raises InvalidRequestError."""
    return ProgramFilter(
        pgm_id=pgm_id,
        name=_text("name", name),
        status=status,
        create_user=_text("create_user", create_user),
        folder=_text("folder", folder),
        created_from=_moment("created_from", created_from),
        created_to=_moment("created_to", created_to),
    )


def _text(field: str, sent: str | None) -> str | None:
    """A text as it is kept: macOS types Hangul in pieces."""
    if sent is None:
        return None
    try:
        text = plain_text(sent)
    except InvalidTextError as error:
        raise InvalidRequestError(field, error.message, code="text_invalid") from error
    if not text:
        raise InvalidRequestError(field, told("it is blank"), code="field_blank")
    return text


def _moment(field: str, sent: str | None) -> datetime | None:
    if sent is None:
        return None
    moment = _read(sent)
    if moment is None:
        message = told("send a moment such as 2026-01-05T09:00:00Z, and + as %2B in an address")
        raise InvalidRequestError(field, message)
    return moment


def _read(sent: str) -> datetime | None:
    """Nothing where it is another form of ISO 8601, no moment, or one that a database in UTC has no year for."""
    try:
        return datetime.fromisoformat(sent.upper()).astimezone(UTC) if _RFC_3339.fullmatch(sent) else None
    except (ValueError, OverflowError):
        return None
