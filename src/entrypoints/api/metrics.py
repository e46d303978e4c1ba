"""What Prometheus asks for. It holds no content, but says how much goes on: hence a key, unless settings say else."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from adapters.telemetry.exposition import MEDIA_TYPE, Exposition
from domain.caller import Scope
from entrypoints.api.needs import needs, open_to_all
from entrypoints.api.openapi import open_responses, problem_responses

_FIGURES = ResponseSpec(str, media_type=MEDIA_TYPE, generate_examples=False, description="In Prometheus' text format.")


def metrics_handler(*, is_open: bool) -> HTTPRouteHandler:
    """The route for a service whose metrics anybody may read, or whoever may read everything else."""
    responses = open_responses() if is_open else problem_responses()

    @get(
        "/metrics",
        operation_id="metrics",
        media_type=MEDIA_TYPE,
        responses=responses | {200: _FIGURES},
        tags=("service",),
        **(open_to_all() if is_open else needs(Scope.READ)),
    )
    async def metrics(exposition: NamedDependency[Exposition]) -> Response[bytes]:
        """What this process counted, and how the outbox stands, for Prometheus."""
        return Response(await exposition(), media_type=MEDIA_TYPE)

    return metrics
