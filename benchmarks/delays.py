"""What the benchmarks put around the ports of the product: delays, a held relay, a note of what is embedded.

The product itself never sleeps. The delays stand in a file that is read at every call, so that one running
product serves for all rows.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from arq.connections import ArqRedis
from dependency_injector import providers

from adapters.embedding.options import EmbeddingOptions
from adapters.embedding.registry import EMBEDDERS
from domain.ports.blob_store import BlobStore, StoredBlob
from domain.ports.dispatcher import Dispatcher
from domain.ports.embedder import Embedder, EmbeddingModel
from domain.vectors import Vectors
from entrypoints.container import Container
from entrypoints.settings import Settings

Opened = Callable[[Settings, ArqRedis], AbstractAsyncContextManager[Container]]
INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """What every put and every call of the embedder take longer, and whether events wait with the relay."""

    put_s: float = 0.0
    embed_s: float = 0.0
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The folder in which the delays stand and in which is counted."""

    folder: Path

    @property
    def delays(self) -> Delays:
        """As they are now."""
        try:
            return Delays(**json.loads((self.folder / "delays.json").read_text()))
        except FileNotFoundError:
            return Delays()

    def set(self, delays: Delays) -> None:
        """From the next call on."""
        waiting = self.folder / "delays.new"
        waiting.write_text(json.dumps(asdict(delays)))
        waiting.replace(self.folder / "delays.json")

    def note_embedded(self, texts: Sequence[str]) -> None:
        """One call with these texts."""
        with (self.folder / "embedded").open("a") as file:
            file.write(json.dumps(list(texts)) + "\n")

    def embedded(self) -> list[list[str]]:
        """The texts of each call since `forget_embedded`."""
        calls = self.folder / "embedded"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    def forget_embedded(self) -> None:
        """Begin anew."""
        (self.folder / "embedded").unlink(missing_ok=True)


class DelayedBlobs:
    """A blob store whose puts take longer."""

    def __init__(self, inner: BlobStore, switchboard: Switchboard) -> None:
        self._inner = inner
        self._switchboard = switchboard

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        """Wait, then put."""
        await asyncio.sleep(self._switchboard.delays.put_s)
        return await self._inner.put(key, content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class DelayedEmbedder:
    """An embedder whose calls take longer, and are counted."""

    def __init__(self, inner: Embedder, switchboard: Switchboard) -> None:
        self._inner = inner
        self._switchboard = switchboard

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Wait, then embed."""
        self._switchboard.note_embedded(texts)
        await asyncio.sleep(self._switchboard.delays.embed_s)
        return await self._inner.embed(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class HeldDispatcher:
    """A queue without room as long as events are to wait: a caller's wait is measured without the worker's load."""

    def __init__(self, inner: Dispatcher, switchboard: Switchboard) -> None:
        self._inner = inner
        self._switchboard = switchboard

    async def room(self) -> int:
        """None while events are held."""
        return 0 if self._switchboard.delays.is_held else await self._inner.room()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class InstantEmbedder(Embedder):
    """Vectors of 512 dimensions out of a hash: no model is measured where the delay stands for one."""

    @property
    def model(self) -> EmbeddingModel:
        """Nothing that means anything."""
        return EmbeddingModel(name=INSTANT, dimension=512)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Equal texts have equal vectors; that is all."""
        digests = b"".join(hashlib.shake_128(text.encode()).digest(512) for text in texts)
        values = np.frombuffer(digests, np.int8).reshape(len(texts), 512).astype(np.float32) + 0.5
        return Vectors(dimension=512, buffer=(values / np.linalg.norm(values, axis=1, keepdims=True)).tobytes())


def wrapped(opened: Opened) -> Opened:
    """The product's way to open its container, with these around its ports."""
    EMBEDDERS[INSTANT] = _instant  # type: ignore[index]  # a Mapping to everybody else
    switchboard = Switchboard(Path(os.environ["BENCHMARK_FOLDER"]))

    @asynccontextmanager
    async def delayed(settings: Settings, redis: ArqRedis) -> AsyncIterator[Container]:
        async with opened(settings, redis) as container:
            blobs = DelayedBlobs(container.blobs(), switchboard)
            embedder = DelayedEmbedder(container.embedder(), switchboard)
            dispatcher = HeldDispatcher(container.dispatcher(), switchboard)
            container.blobs.override(_of(blobs))
            container.embedder.override(_of(embedder))
            container.dispatcher.override(_of(dispatcher))
            yield container

    return delayed


def _of(replacement: object) -> providers.Object[Any]:
    return providers.Object(replacement)


@asynccontextmanager
async def _instant(_options: EmbeddingOptions) -> AsyncIterator[Embedder]:
    yield InstantEmbedder()
