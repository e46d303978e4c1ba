"""A connection to Milvus that is made when first needed and made anew after it was lost."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pymilvus import AsyncMilvusClient

from adapters.milvus.errors import translated_errors
from adapters.milvus.server_kinds import ServerKind, kind_of
from domain.errors import MisconfiguredError, UnavailableError

CHANNEL_OPTIONS = {
    # Milvus Lite answers the default of 10 s with GOAWAY (too_many_pings).
    "grpc.keepalive_time_ms": 60_000,
    # Channels of a process share their back-off unless told otherwise: a new one would wait like the old.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_reconnect_backoff_ms": 1_000,
}


@dataclass(slots=True, kw_only=True)
class MilvusSession:
    """An open client and what was learnt of its server."""

    client: AsyncMilvusClient
    kind: ServerKind
    users: int = 0
    retired: bool = False


class MilvusConnection:
    """Hands out one shared session, and a new one after a call on it failed for want of an answer or of a collection.

    In both cases the server may be another one by then, of another version, where the collection has another name.
    A session that is given up is closed when its last user is done: closing it earlier would cancel
    its neighbours' calls. An address with https:// is spoken to over TLS; `ca_file` names whom to trust then instead
    of gRPC's own authorities. Raises MisconfiguredError for an address that cannot be taken apart, and for a file
    that is none.
    """

    def __init__(self, uri: str, *, token: str, database: str, ca_file: str = "") -> None:
        self._uri = _taken_apart(uri)
        self._ca_file = _trusted(ca_file, uri) if ca_file else ""
        self._token = token
        self._database = database
        self._connecting = asyncio.Lock()
        self._session: MilvusSession | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What pymilvus' clients are made with."""
        return {
            "uri": self._uri,
            "token": self._token,
            "db_name": self._database,
            "server_pem_path": self._ca_file,
            "dedicated": True,  # a shared connection would outlive the client's close()
            "grpc_options": dict(CHANNEL_OPTIONS),
        }

    @property
    def known(self) -> MilvusSession | None:
        """The session that is open now, if the last call on it was answered."""
        return self._session if self._session is not None and not self._session.retired else None

    @asynccontextmanager
    async def session(self, *, timeout_s: float) -> AsyncIterator[MilvusSession]:
        """A session for calls that take at most timeout_s together, their errors translated."""
        session: MilvusSession | None = None
        try:
            with translated_errors():
                async with asyncio.timeout(timeout_s):
                    session = await self._shared(timeout_s)
                    session.users += 1
                    yield session
        except UnavailableError:
            if session is not None:
                session.retired = True
            raise
        finally:
            if session is not None:
                session.users -= 1
                await self._close_if_unused(session)

    async def aclose(self) -> None:
        """Close the session once nobody uses it. The next call would open another."""
        if (session := self._session) is not None:
            session.retired = True
            await self._close_if_unused(session)

    async def _shared(self, timeout_s: float) -> MilvusSession:
        async with self._connecting:
            if self._session is None or self._session.retired:
                client = AsyncMilvusClient(**self.arguments, timeout=timeout_s)
                try:
                    kind = kind_of(str(await client.get_server_version(timeout=timeout_s)))
                except BaseException:
                    await client.close()  # nobody else knows its channel
                    raise
                self._session = MilvusSession(client=client, kind=kind)
            return self._session

    async def _close_if_unused(self, session: MilvusSession) -> None:
        if session.retired and session.users == 0:
            if self._session is session:
                self._session = None
            await session.client.close()


def _taken_apart(uri: str) -> str:
    """The same, since pymilvus raises a plain ValueError on the first call, with what it takes for the port."""
    try:
        _ = urlsplit(uri).port
    except ValueError:
        raise MisconfiguredError(
            "the setting MILVUS_URI is no address like http://host:19530; user and password belong into MILVUS_TOKEN"
        ) from None
    return uri


def _trusted(ca_file: str, uri: str) -> str:
    """The same, since gRPC would tell of a wrong one with every call, as of a server that is away."""
    if not uri.startswith("https://"):
        raise MisconfiguredError("the setting MILVUS_CA_FILE needs a MILVUS_URI that begins with https://")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError:  # which ssl's own errors are
        raise MisconfiguredError(
            "the setting MILVUS_CA_FILE names no file of certificates (PEM) that can be read"
        ) from None
    return ca_file
