"""How much of everything there is, over HTTP."""

from litestar import get

from domain.caller import Scope
from entrypoints.api.conversions import statistics_body
from entrypoints.api.dependencies import CatalogueDependency
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.schemas import StatisticsBody


@get("/v1/stats", operation_id="get_statistics", responses=problem_responses(), tags=("programs",), **needs(Scope.READ))
async def get_statistics(catalogue: CatalogueDependency) -> StatisticsBody:
    """Programs by status, documents and what they were cut into by state, bytes, and what waits longest."""
    return statistics_body(await catalogue.statistics())


HANDLERS = (get_statistics,)
