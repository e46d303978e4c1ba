"""The one place where requests are let in: before a body is read, by what their route needs."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import HttpMethod
from litestar.handlers import BaseRouteHandler

from application.authenticate import Authenticate
from domain.caller import ANYBODY, NOBODY, Caller
from domain.errors import ForbiddenError, UnauthenticatedError
from entrypoints.api.access_log import bind_to_log
from entrypoints.api.needs import needed_by
from entrypoints.container import Container

MAX_CREDENTIAL_CHARACTERS = 8_192
_NETWORK_BITS = 64
_LONGEST_HOST = 64
_HEADER = "authorization"
_SCHEME = "bearer"

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def guard_from(container: Container) -> Guard:
    """A guard for every route. Whoever it lets in is `request.user`, a Caller."""
    is_required = bool(container.auth_required())

    async def let_in(connection: Connection, handler: BaseRouteHandler) -> None:
        needed = needed_by(handler)
        bind_to_log(connection.path_params)
        connection.scope["user"] = NOBODY
        if needed == "nothing" or connection.scope.get("method") == HttpMethod.OPTIONS:  # which tells the methods alone
            return
        connection.scope["user"] = caller = await _caller(connection, container) if is_required else ANYBODY
        if needed == "undeclared":
            raise ForbiddenError("that no route has declared")
        caller.require(needed)

    return let_in


def origin_of(host: str) -> str:
    """The address that asks; of IPv6 its network, in which one machine may have any number of addresses.

    What is no address is cut: whoever asks through a proxy that hands on what it was told may write what they like.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host[:_LONGEST_HOST]
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _NETWORK_BITS), strict=False))


async def _caller(connection: Connection, container: Container) -> Caller:
    authenticate: Authenticate = container.authenticate()
    return await authenticate(
        _credential(connection), origin=origin_of(connection.client.host if connection.client else "")
    )


def _credential(connection: Connection) -> str:
    """What follows `Bearer`. Raises UnauthenticatedError."""
    sent = connection.headers.getall(_HEADER, [])
    if not sent:
        raise UnauthenticatedError("none came")
    if len(sent) > 1:
        raise UnauthenticatedError("more than one came")
    scheme, _, credential = sent[0].strip().partition(" ")
    credential = credential.strip()
    if scheme.lower() != _SCHEME or not credential:
        raise UnauthenticatedError("it is no Bearer credential")
    if len(credential) > MAX_CREDENTIAL_CHARACTERS:
        raise UnauthenticatedError("it is too long")
    return credential
