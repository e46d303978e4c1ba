"""The wire format of a context, and of one rung."""

from typing import Annotated

from msgspec import Meta, Struct

from application.search_rungs import MAX_QUERY_CHARACTERS
from domain.context import Why
from entrypoints.api.schemas import Identifier, RungFields

MIN_BUDGET, MAX_BUDGET = 256, 32_000


class ContextRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A question, and how many tokens its context may take, by an estimate: leave some room beyond it."""

    query: Annotated[str, Meta(min_length=1, max_length=MAX_QUERY_CHARACTERS, pattern=r"^[^\u0000]*$")]
    budget_tokens: Annotated[int, Meta(ge=MIN_BUDGET, le=MAX_BUDGET)] = 4_000
    pgm_id: Identifier | None = None


class PieceBody(Struct, kw_only=True, frozen=True):
    """A rung of a context: found, or writing the `device` that the rung `of` reads, or standing beside that.

    `text` and a blank line behind it are what counts against the budget; it begins with the `citation`. `cut` says
    that its end is missing.
    """

    rung_id: str
    why: Why
    of: str | None
    device: str | None
    pgm_id: str
    document_id: str
    citation: str
    text: str
    cut: bool
    tokens: int


class ContextBody(Struct, kw_only=True, frozen=True):
    """The pieces of a context, most important first."""

    budget_tokens: int
    tokens: int
    pieces: tuple[PieceBody, ...]


class RungBody(RungFields, kw_only=True, frozen=True):
    """A rung. The neighbours may not be there."""

    neighbours: tuple[str, ...]
