"""A real HTTP server that speaks the protocols of the remote embedders, and misbehaves on command."""

import asyncio
import base64
import json
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fakes.embedder import HashingEmbedder

Json = Any  # what json.loads gives
DIMENSION = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `announced` lies about its length; `beforehand` runs first."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None
    beforehand: Callable[[], Awaitable[object]] | None = None


Fault = Callable[[Seen, list[list[float]]], Reply]


def answered(seen: Seen, vectors: list[list[float]], *, order: list[int] | None = None) -> Reply:
    """The vectors as the protocol of that address has them; `order` shuffles the items of one that numbers them."""
    path = seen.path.partition("?")[0]
    if path.endswith("/embeddings"):
        items = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
        if seen.body.get("encoding_format") == "base64":
            items = [{**item, "embedding": in_base64(item["embedding"])} for item in items]
        return in_json({"object": "list", "data": [items[place] for place in order] if order else items})
    if path.endswith("/v2/embed"):
        return in_json({"id": "1", "embeddings": {"float": vectors}, "texts": seen.body["texts"]})
    return in_json(vectors)


def in_json(answer: Json, *, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(answer).encode())


def refusal_of(words: str, *, status: int) -> Reply:
    return in_json({"error": words}, status=status)


def in_base64(vector: Json) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()


@dataclass(slots=True, kw_only=True)
class EmbeddingServer:
    """Answers with hashed tokens, refuses blank texts, and plays each of `faults` once, in their order, before that.

    `refuses` looks at the texts of every request and may answer instead.
    """

    faults: list[Fault] = field(default_factory=list)
    refuses: Callable[[list[str]], Reply | None] = lambda _: None
    seen: list[Seen] = field(default_factory=list)
    most_texts: int = 1_000
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    open_connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    _model: HashingEmbedder = field(default_factory=lambda: HashingEmbedder(dimension=DIMENSION))

    @property
    def address(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        try:
            while True:
                seen = await _request(reader)
                self.seen.append(seen)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    await _send(writer, await self._reply(seen))
                finally:
                    self.at_once -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            self.open_connections -= 1
            writer.close()

    async def _reply(self, seen: Seen) -> Reply:
        texts = next(seen.body[name] for name in ("input", "inputs", "texts") if name in seen.body)
        if len(texts) > self.most_texts:
            return refusal_of(f"batch size {len(texts)} > maximum allowed batch size", status=413)
        if refusal := self.refuses(texts):
            return refusal
        if not all(text.strip() for text in texts):
            return refusal_of("an input cannot be empty", status=400)
        vectors = await self._model.embed(texts)
        values = [array("f", bytes(vectors.row(place))).tolist() for place in range(len(vectors))]
        return self.faults.pop(0)(seen, values) if self.faults else answered(seen, values)


@asynccontextmanager
async def embedding_server(host: str = "127.0.0.1") -> AsyncIterator[EmbeddingServer]:
    """A server on a free port of loopback, its connections cut at the end."""
    server = EmbeddingServer(host=host)
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(server.serve(reader, writer)))

    listener = await asyncio.start_server(connected, host, 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> Seen:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Seen(path=first.split(" ")[1], headers=headers, body=json.loads(body))


async def _send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.beforehand:
        await reply.beforehand()
    length = len(reply.body) if reply.announced is None else reply.announced
    headers = {"Content-Length": str(length), "Content-Type": "application/json", **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} Whatever\r\n{lines}\r\n".encode("latin-1") + reply.body)
    await writer.drain()
    if length != len(reply.body):
        raise ConnectionError  # cut
