"""Whether the service is up, whether it is ready, and which one it is."""

from importlib.metadata import PackageNotFoundError, version

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec

from application.check_readiness import CheckReadiness
from entrypoints.api.problems import RETRY_AFTER_S
from entrypoints.api.schemas import HealthBody, ReadinessBody, VersionBody, WaitingBody

NAME = "ladderbase"
_TAGS = ("service",)
_NOT_READY = ResponseSpec(ReadinessBody, generate_examples=False, description="What is waited for.")


def product_version() -> str:
    """The installed version; a bare source tree has none."""
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "0+source"


@get("/healthz", operation_id="health", tags=_TAGS)
async def health() -> HealthBody:
    """The process answers; nothing else is asked."""
    return HealthBody()


@get("/readyz", operation_id="readiness", responses={503: _NOT_READY}, tags=_TAGS)
async def readiness(check_readiness: NamedDependency[CheckReadiness]) -> Response[ReadinessBody]:
    """Ready when an upload would be accepted and searched; otherwise what that waits for."""
    waiting = await check_readiness()
    if not waiting:
        return Response(ReadinessBody(status="ready"))
    named = tuple(WaitingBody(dependency=entry.dependency, reason=entry.reason) for entry in waiting)
    body = ReadinessBody(status="waiting", waiting_for=named)
    return Response(body, status_code=503, headers={"Retry-After": str(RETRY_AFTER_S)})


@get("/version", operation_id="version", tags=_TAGS)
async def service_version() -> VersionBody:
    """The product's name and version."""
    return VersionBody(name=NAME, version=product_version())


HANDLERS = (health, readiness, service_version)
