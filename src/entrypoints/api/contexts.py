"""Contexts over HTTP: what a question about ladders needs, packed under a budget; and one rung by its id."""

from collections.abc import Mapping
from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter

from application.gather_context import Context, GatherContext
from application.show_rung import ShowRung
from domain.caller import Scope
from domain.chunk import neighbours_of
from domain.context import Piece
from domain.search import FoundChunk
from entrypoints.api.context_schemas import ContextBody, ContextRequest, PieceBody, RungBody
from entrypoints.api.conversions import rung_fields
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.strict_json import MAX_JSON_BYTES, strict_json
from entrypoints.container import Container

RungId = Annotated[
    str,
    PathParameter(
        pattern=r"^PGM_[0-9]{1,18}-r[0-9]{1,9}-[0-9]{4,9}\.g[0-9]{1,18}\.[0-9]{1,9}$",
        description="`rung_id` of a hit, a use or a piece.",
    ),
]


@post(
    "/v1/context",
    operation_id="gather_context",
    before_request=strict_json(ContextRequest),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(408, 413, 415, 422),
    status_code=200,
    tags=("search",),
    **needs(Scope.READ, draws_on="searches"),
)
async def context(data: JSONBody[ContextRequest], gather_context: NamedDependency[GatherContext]) -> ContextBody:
    """Gather the best rungs for a question, the rungs that write what those read, and their neighbours."""
    gathered = await gather_context(data.query, budget=data.budget_tokens, pgm_id=data.pgm_id)
    return _context_body(gathered, data.budget_tokens)


@get(
    "/v1/rungs/{rung_id:str}",
    operation_id="get_rung",
    responses=problem_responses(404, 422),
    tags=("search",),
    **needs(Scope.READ),
)
async def get_rung(show_rung: NamedDependency[ShowRung], rung_id: RungId) -> RungBody:
    """One rung. Its id holds until its document is indexed anew, or another revision answers."""
    return _rung_body(await show_rung(rung_id))


def context_dependencies_from(container: Container) -> Mapping[str, Provide]:
    """The providers of an application, by the name under which handlers ask for them."""

    async def gather_context() -> GatherContext:
        return container.gather_context()

    async def show_rung() -> ShowRung:
        return container.show_rung()

    return {provider.__name__: Provide(provider) for provider in (gather_context, show_rung)}


def _context_body(gathered: Context, budget: int) -> ContextBody:
    return ContextBody(budget_tokens=budget, tokens=gathered.tokens, pieces=tuple(map(_piece_body, gathered.pieces)))


def _piece_body(piece: Piece) -> PieceBody:
    return PieceBody(
        rung_id=piece.chunk.chunk_id,
        why=piece.why,
        of=piece.of or None,
        device=piece.device or None,
        pgm_id=piece.chunk.pgm_id,
        document_id=piece.chunk.document_id,
        citation=piece.citation,
        text=piece.text,
        cut=piece.is_cut,
        tokens=piece.tokens,
    )


def _rung_body(chunk: FoundChunk) -> RungBody:
    return RungBody(**rung_fields(chunk), neighbours=neighbours_of(chunk.chunk_id))


HANDLERS = (context, get_rung)
