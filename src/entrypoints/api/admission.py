"""Who is let in is not yet served: uploads, searches and streams have an allowance, asked for before a body is read."""

from contextlib import ExitStack

from litestar.enums import HttpMethod
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from application.limits import Limits
from domain.caller import Caller
from entrypoints.api.access import Connection, Guard
from entrypoints.api.needs import drawn_on_by
from entrypoints.container import Container

_KEY = "until_answered"


def admission_from(container: Container) -> Guard:
    """A guard for every route, behind the one that says who asks. A place is held until all of the answer is sent."""
    limits: Limits = container.limits()

    async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
        drawn_on = drawn_on_by(handler)
        if drawn_on is None or connection.scope.get("method") == HttpMethod.OPTIONS:
            return
        caller: Caller = connection.scope["user"]
        until_answered: ExitStack = connection.scope["state"][_KEY]
        if drawn_on == "streams":
            until_answered.enter_context(limits.streams.taken_by(caller.identity))
            return
        if drawn_on == "uploads":
            until_answered.enter_context(limits.places.taken_by(caller.identity))
        if caller.identity:  # where nobody says who they are, there is nobody to be fair to
            (limits.uploads if drawn_on == "uploads" else limits.searches).take(caller.identity)

    return admit


def held_until_answered(app: ASGIApp) -> ASGIApp:
    """Wrap the whole application: whatever a guard has taken for a request is given back with it, however it ends."""

    async def holding(scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as until_answered:
            scope.setdefault("state", {})[_KEY] = until_answered
            await app(scope, receive, send)

    return holding
