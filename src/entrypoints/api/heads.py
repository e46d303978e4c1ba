"""HEAD wherever GET is served (RFC 9110, 9.3.2): the same answer without its content."""

from typing import Literal

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPDisconnectEvent, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

# Words, as a server has them: the framework's own are told otherwise where they become text.
_HEAD: Literal["HEAD"] = "HEAD"
_GET: Literal["GET"] = "GET"
_NOT_SERVED = 405


def heads_answered(app: ASGIApp) -> ASGIApp:
    """Wrap the application: a HEAD that no handler of an address takes is answered as a GET is.

    What is streamed is told after its first line that nobody is there any more: no archive is packed for nothing.
    """

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != _HEAD:
            await app(scope, receive, send)
            return
        before = dict(scope["state"])
        by_a_handler = _Head(scope, receive, send, holds_back=_NOT_SERVED)
        await app(scope, by_a_handler.receive, by_a_handler.send)
        if by_a_handler.is_held_back:
            as_of_get = _Head(scope, receive, send)
            scope["method"], scope["state"] = _GET, before  # the refusal has left its language there
            try:
                await app(scope, as_of_get.receive, as_of_get.send)
            finally:
                scope["method"] = _HEAD

    return answered


class _Head:
    """The head of an answer, and the end of it at once; one of the status `holds_back` is kept from the caller."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, *, holds_back: int = 0) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._holds_back = holds_back
        self._is_sent = False
        self.is_held_back = False

    async def receive(self) -> HTTPReceiveMessage:
        """What the caller sends, until it has its answer."""
        return HTTPDisconnectEvent(type="http.disconnect") if self._is_sent else await self._receive()  # type: ignore[return-value]

    async def send(self, message: Message) -> None:
        """Pass on what comes before the content."""
        if message["type"] != "http.response.start":
            return
        self.is_held_back = message["status"] == self._holds_back
        if not self.is_held_back:
            self._scope["method"] = _HEAD  # a server looks there whether content is to follow
            self._is_sent = True
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
