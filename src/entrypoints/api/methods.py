"""Which methods an address serves, as an answer to OPTIONS."""

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import HttpMethod
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope


async def tell_methods(message: Message, scope: Scope) -> None:
    """Name all of them: Litestar names those of the first handler alone that an address has."""
    path = scope.get(
        "path_template"
    )  # an address that is not there has none, nor has a browser's question about origins
    if message["type"] != "http.response.start" or scope.get("method") != HttpMethod.OPTIONS or path is None:
        return
    served = {
        method
        for route in scope["litestar_app"].routes
        if isinstance(route, HTTPRoute) and route.path_format == path
        for method in route.methods
    }
    if HttpMethod.GET in served:
        served.add(HttpMethod.HEAD)
    MutableScopeHeaders.from_message(message)["allow"] = ", ".join(sorted(served))
