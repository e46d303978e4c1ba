"""WebhookSender over HTTP: what is connected to is the very address that was checked."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpcore

from adapters.retry_after import retry_after_s
from adapters.webhooks.name_lookup import NameLookup, UnknownNameError
from domain.errors import UnavailableError
from domain.ports.webhook_sender import WebhookAnswer, WebhookSender
from domain.webhook import may_be_told

TIMEOUT_S = 10.0
_LARGEST_ANSWER = 64 * 1024
"""As much of a body is read and thrown away; of a longer one the connection is closed."""
_DEPENDENCY = "webhook"


class RefusedDestinationError(OSError):
    """A name leads to where nothing is sent to."""


class HttpWebhookSender(WebhookSender):
    """A connection for each delivery, through no proxy of the environment.

    httpcore and not httpx, because it lets the resolved address be looked at before it is connected to, while TLS goes
    on checking the name.
    """

    def __init__(self, *, allow_private: bool, timeout_s: float = TIMEOUT_S, names: NameLookup | None = None) -> None:
        self._backend = _CheckedNetwork(names or NameLookup(), allow_private=allow_private)
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """See the port."""
        try:
            async with (
                asyncio.timeout(self._timeout_s),  # for all of it: a byte now and then buys nothing
                httpcore.AsyncConnectionPool(
                    network_backend=self._backend, ssl_context=self._tls, max_connections=1, retries=0
                ) as pool,
                pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
            ):
                await _ignored(answer)
                return WebhookAnswer(status=int(answer.status), retry_after=_retry_after(answer))
        except TimeoutError as error:
            raise UnavailableError(_DEPENDENCY, f"no answer within {self._timeout_s:g} s") from error
        except UnknownNameError as error:
            raise UnavailableError(_DEPENDENCY, "its name cannot be looked up") from error
        except RefusedDestinationError as error:
            raise UnavailableError(_DEPENDENCY, "its name leads to an address that nothing is sent to") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise UnavailableError(_DEPENDENCY, f"no answer: {type(error).__name__}") from error


async def _ignored(answer: httpcore.Response) -> None:
    size = 0
    async for piece in answer.aiter_stream():
        size += len(piece)
        if size > _LARGEST_ANSWER:
            return


def _retry_after(answer: httpcore.Response) -> timedelta | None:
    said = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
    seconds = retry_after_s(said.decode("latin-1"), now=datetime.now(tz=UTC))
    return None if seconds is None else timedelta(seconds=seconds)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Looks a name up once, refuses it where any of its addresses may not be told, and connects to one of those."""

    def __init__(self, names: NameLookup, *, allow_private: bool) -> None:
        self._names = names
        self._allow_private = allow_private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that was checked."""
        addresses = await self._names.addresses_of(host, port)
        if not all(may_be_told(each, allow_private=self._allow_private) for each in addresses):
            raise RefusedDestinationError("a destination is refused")
        return await self._network.connect_tcp(str(addresses[0]), port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
