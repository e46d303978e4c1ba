"""The progress of an indexing as server-sent events (WHATWG HTML, 9.2)."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter
from litestar.response import Stream

from application.follow_indexing import FollowIndexing, Signal
from domain.caller import Scope
from domain.indexing_standing import IndexingStanding, Position
from entrypoints.api.identifiers import PgmId
from entrypoints.api.needs import needs
from entrypoints.api.openapi import problem_responses
from entrypoints.api.schemas import IndexingEventBody

_MEDIA_TYPE = "text/event-stream"
_COME_AGAIN_MS = 3_000
_BEGIN = f"retry: {_COME_AGAIN_MS}\n\n".encode()
_HEARTBEAT = b": still here\n\n"
# A proxy that gathers an answer before it passes it on would pass on nothing here.
_HEADERS = {"X-Accel-Buffering": "no"}
_NOTHING_MORE = ResponseSpec(
    None, generate_examples=False, description="The indexing has ended as the last event said: do not come again."
)

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", max_length=500, description="The id of the last event that came: what came after is sent."
    ),
]


@get(
    "/v1/programs/{pgm_id:str}/indexing/events",
    operation_id="follow_indexing",
    media_type=_MEDIA_TYPE,
    responses=problem_responses(404, 422) | {204: _NOTHING_MORE},
    tags=("programs",),
    **needs(Scope.READ, draws_on="streams"),
)
async def follow_indexing(
    follow_indexing: NamedDependency[FollowIndexing], pgm_id: PgmId, last_event_id: LastEventId = None
) -> Stream | Response[None]:
    """Server-sent events: `pending`, `indexing`, and `indexed`, `failed` or `deleted`, which is the last one.

    Each has the revision, how many of its documents are done, of `total`, and an id to go on from, at any process.
    Without an id it begins with how things are.
    """
    standing = await follow_indexing.begin(pgm_id)
    last = Position.read(last_event_id or "")
    if standing.has_ended and not standing.since(last):
        return Response(None, status_code=204)
    return Stream(_written(follow_indexing, standing, last), media_type=_MEDIA_TYPE, headers=_HEADERS)


async def _written(
    follow_indexing: FollowIndexing, standing: IndexingStanding, last: Position | None
) -> AsyncIterator[bytes]:
    yield _BEGIN
    async for told in follow_indexing.follow(standing, last):
        if told is Signal.STILL_HERE:
            yield _HEARTBEAT
        elif isinstance(told, IndexingStanding):
            yield _event(told.state.value, _body(told), event_id=str(told.position))
        else:
            yield _event("deleted", {"pgm_id": standing.pgm_id})


def _event(name: str, body: object, *, event_id: str = "") -> bytes:
    """Whoever comes back after an event without an id sends the one before."""
    written_id = b"id: " + event_id.encode() + b"\n" if event_id else b""
    return b"event: " + name.encode() + b"\n" + written_id + b"data: " + msgspec.json.encode(body) + b"\n\n"


def _body(standing: IndexingStanding) -> IndexingEventBody:
    return IndexingEventBody(
        pgm_id=standing.pgm_id,
        revision=standing.revision,
        answering=standing.answering,
        state=standing.state,
        total=standing.progress.total,
        done=standing.progress.done,
        failed=standing.progress.failed,
    )


HANDLERS = (follow_indexing,)
