"""Search over HTTP."""

import time

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.search_rungs import SearchQuery, SearchRungs
from domain.caller import Scope
from domain.normal_forms import composed
from domain.search import SearchScope
from entrypoints.api.conversions import search_body
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.schemas import SearchBody, SearchRequest
from entrypoints.api.strict_json import MAX_JSON_BYTES, strict_json


@post(
    "/v1/search",
    operation_id="search_rungs",
    before_request=strict_json(SearchRequest),
    request_max_body_size=MAX_JSON_BYTES,
    responses=problem_responses(408, 413, 415, 422),
    status_code=200,
    tags=("search",),
    **needs(Scope.READ, draws_on="searches"),
)
async def search(data: JSONBody[SearchRequest], search_rungs: NamedDependency[SearchRungs]) -> SearchBody:
    """Find rungs by device, by token and by meaning, in Korean, Japanese, Chinese and English."""
    started = time.perf_counter()
    answer = await search_rungs(_query(data))
    return search_body(answer, data.mode, (time.perf_counter() - started) * 1000)


def _query(request: SearchRequest) -> SearchQuery:
    return SearchQuery(
        text=request.query,
        scope=SearchScope(
            pgm_id=request.pgm_id,
            folder_id=_composed(request.folder_id),
            logic_id=_composed(request.logic_id),
            document_type=request.document_type,
        ),
        mode=request.mode,
        limit=request.limit,
    )


def _composed(name: str | None) -> str | None:
    """A name as it is kept: macOS types Hangul in pieces."""
    return None if name is None else composed(name)


HANDLERS = (search,)
