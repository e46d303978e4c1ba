"""A receiver of webhooks in the process of the tests: what it gets is written down, and it fails as it is told to."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from entrypoints.embedded.ports import LOOPBACK, free_port
from faults.history import History, Received
from faults.nursery import Program

RESET, GARBAGE = b"", b"no http\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Gives the answers of `script` first, then 204, each after `delay_s`; refuses what is not signed by its secret."""

    history: History
    port: int = field(default_factory=free_port)
    script: list[bytes] = field(default_factory=list)
    delay_s: float = 0.0
    secret: str = ""
    forged: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/hook"

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._answer, LOOPBACK, self.port)

    async def close(self) -> None:
        """Whoever connects is refused."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def subscribe(self, api: Program) -> None:
        """Be told everything from here on."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            answer = (await http.post(f"{api.url}/v1/webhooks", json={"url": self.url})).raise_for_status()
        self.secret = answer.json()["secret"]
        self.history.told_since = len(self.history.operations)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines())}
            body = await reader.readexactly(int(headers["content-length"]))
            await asyncio.sleep(self.delay_s)
            writer.write(self._received(headers, body))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever sent it was killed meanwhile
        finally:
            writer.close()

    def _received(self, headers: Mapping[str, str], body: bytes) -> bytes:
        if not self._is_genuine(headers, body):
            self.forged += 1
            return b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n"
        said = self.script.pop(0) if self.script else b"HTTP/1.1 204 X\r\n\r\n"
        told = json.loads(body)
        self.history.received.append(
            Received(
                delivery_id=headers["webhook-id"],
                kind=told["kind"],
                pgm_id=told["pgm_id"],
                revision=told["revision"],
                is_taken=said.startswith(b"HTTP/1.1 2"),
            )
        )
        return said

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in headers["webhook-signature"].split(" ")


@asynccontextmanager
async def a_receiver(history: History) -> AsyncIterator[Receiver]:
    """One that listens."""
    receiver = Receiver(history=history)
    await receiver.open()
    try:
        yield receiver
    finally:
        await receiver.close()
