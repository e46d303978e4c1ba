"""What each route needs of whoever asks. A route that does not say it is served to nobody."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Operation, SecurityRequirement

from domain.caller import Scope
from entrypoints.api.languages import SpokenOperation

API_KEY_SCHEME = "api_key"
TOKEN_SCHEME = "token"  # noqa: S105 - the name of a scheme
_NEEDS = "needs"
_DRAWS_ON = "draws_on"
_OPEN = "nothing"

Needed = Scope | Literal["nothing", "undeclared"]
Allowance = Literal["uploads", "searches", "streams"]


class Needs(TypedDict):
    """Keywords of a route: what the guard reads, and what the document says."""

    opt: Mapping[str, Any]
    security: list[SecurityRequirement]
    operation_class: type[Operation]


def needs(
    scope: Scope, *, draws_on: Allowance | None = None, operation: type[SpokenOperation] = SpokenOperation
) -> Needs:
    """For a route that asks who is there: `@get(..., **needs(Scope.READ))`.

    `draws_on` is what it is bounded by, `operation` says more of it in the document.
    """
    return Needs(
        opt={_NEEDS: scope, _DRAWS_ON: draws_on},
        security=[{API_KEY_SCHEME: [scope.value]}, {TOKEN_SCHEME: [scope.value]}],
        operation_class=operation,
    )


def open_to_all() -> Needs:
    """For a route that everybody may ask, of which there are few: probes, and the document."""
    return Needs(opt={_NEEDS: _OPEN}, security=[{}], operation_class=SpokenOperation)


def needed_by(handler: BaseRouteHandler) -> Needed:
    """What a route has declared."""
    declared = handler.opt.get(_NEEDS)
    if isinstance(declared, Scope):
        return declared
    return "nothing" if declared == _OPEN else "undeclared"


def drawn_on_by(handler: BaseRouteHandler) -> Allowance | None:
    """What a route is bounded by, if by anything."""
    allowance: Allowance | None = handler.opt.get(_DRAWS_ON)
    return allowance
