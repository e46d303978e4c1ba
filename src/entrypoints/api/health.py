"""Whether the service is up, whether it is ready, and which one it is."""

from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter

from application.check_readiness import CheckReadiness, Limited, ReadinessPart, Waiting
from entrypoints.api.needs import open_to_all
from entrypoints.api.openapi import open_responses
from entrypoints.api.problems import RETRY_AFTER_S
from entrypoints.api.readiness_log import ReadinessLog
from entrypoints.api.schemas import HealthBody, NoticeBody, ReadinessBody, VersionBody, WaitingBody
from entrypoints.build import NAME, Build

_TAGS = ("service",)
_NOT_READY = ResponseSpec(ReadinessBody, generate_examples=False, description="What is waited for.")
_Part = Annotated[
    ReadinessPart,
    QueryParameter(
        name="for",
        description="What it asks: all, or what uploads need (Postgres, blob store, scratch disk), or search does.",
    ),
]


@get("/healthz", operation_id="health", tags=_TAGS, **open_to_all())
async def health() -> HealthBody:
    """The process answers; nothing else is asked."""
    return HealthBody()


@get(
    "/readyz", operation_id="readiness", responses={**open_responses(422), 503: _NOT_READY}, tags=_TAGS, **open_to_all()
)
async def readiness(
    check_readiness: NamedDependency[CheckReadiness],
    readiness_log: NamedDependency[ReadinessLog],
    part: _Part = ReadinessPart.ALL,
) -> Response[ReadinessBody]:
    """Ready when an upload would be accepted and searched; otherwise what that waits for.

    More of it is told in the log, and to the scope admin by `/v1/operations`.
    """
    found = await check_readiness(part)
    readiness_log.note(found, part)
    waiting = tuple(
        WaitingBody(dependency=entry.dependency, reason=entry.because) for entry in found if isinstance(entry, Waiting)
    )
    notices = tuple(NoticeBody(dependency=entry.dependency) for entry in found if isinstance(entry, Limited))
    body = ReadinessBody(status="waiting" if waiting else "ready", waiting_for=waiting, notices=notices)
    return Response(body, status_code=503, headers={"Retry-After": str(RETRY_AFTER_S)}) if waiting else Response(body)


@get("/version", operation_id="version", tags=_TAGS, **open_to_all())
async def service_version(build: NamedDependency[Build]) -> VersionBody:
    """The product's name and version, the commit it was built from where that is known, and the schema it needs."""
    return VersionBody(name=NAME, version=build.version, commit=build.commit or None, migration=build.migration)


HANDLERS = (health, readiness, service_version)
