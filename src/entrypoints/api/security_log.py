"""The security log: who did what, and who was refused. Never a key, a token or a header."""

import logging
from collections.abc import Sequence

from litestar.types import HTTPResponseStartEvent, Message, Scope

from domain.caller import Caller
from domain.caller import Scope as Allowed
from entrypoints.api.access_log import request_id_of
from entrypoints.api.needs import needed_by
from entrypoints.logs import log_fact

_log = logging.getLogger("ladderbase.security")
_OBJECTS = "audited"
_CARRIED_OUT = range(200, 300)


async def note_action(message: Message, scope: Scope) -> None:
    """One line for each thing that was changed by a route that needs more than reading."""
    if message["type"] != "http.response.start" or message["status"] not in _CARRIED_OUT:
        return
    handler = scope.get("route_handler")
    if handler is None:  # a browser's preflight, which is answered before there is a route
        return
    if needed_by(handler) not in {Allowed.WRITE, Allowed.ADMIN}:
        return
    for name in _objects(message, scope):
        _note(message["status"], name, scope)


def note_objects(scope: Scope, names: Sequence[str]) -> None:
    """What a request that names many was carried out on: a line for each."""
    scope.setdefault("state", {})[_OBJECTS] = tuple(names)


def _objects(message: HTTPResponseStartEvent, scope: Scope) -> Sequence[str]:
    named: Sequence[str] | None = scope.get("state", {}).get(_OBJECTS)
    if named is not None:
        return named
    location = next((value.decode("latin-1") for name, value in message["headers"] if name == b"location"), "")
    params = scope.get("path_params", {})
    return [str(params.get("pgm_id") or params.get("webhook_id") or location.rpartition("/")[2])]


def _note(status: int, name: str, scope: Scope) -> None:
    handler = scope["route_handler"]
    caller: Caller = scope["user"]
    log_fact(
        _log,
        logging.INFO,
        "audit",
        action=str(getattr(handler, "operation_id", None) or handler.handler_name),
        object=name,
        status=status,
        caller=caller.identity,
        credential=caller.credential,
        request_id=request_id_of(scope),
    )


def note_refusal(scope: Scope, reason: str, *, credential: str, caller: str = "") -> None:
    """One line for each request that was refused over who asked it."""
    log_fact(
        _log,
        logging.WARNING,
        "refused",
        method=str(scope.get("method")),
        path=str(scope.get("path_template") or "unknown"),
        reason=reason,
        caller=caller,
        credential=credential,
        request_id=request_id_of(scope),
    )
