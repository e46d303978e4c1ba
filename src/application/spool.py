"""Streaming between local files and the blob store, in pieces, off the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import TypeVar

from domain.ports.blob_store import BlobStore, StoredBlob

T = TypeVar("T")

PIECE_BYTES = 1024 * 1024


async def pieces_of(path: Path) -> AsyncGenerator[bytes, None]:
    """Yield a file's bytes in pieces of 1 MiB."""
    with ExitStack() as opened:
        file = await _in_thread(lambda: opened.enter_context(path.open("rb")))
        while piece := await _in_thread(file.read, PIECE_BYTES):
            yield piece


async def store_file(blobs: BlobStore, key: str, path: Path) -> StoredBlob:
    """Put a file's bytes under key; whatever happens, the file is closed again."""
    async with aclosing(pieces_of(path)) as pieces:
        return await blobs.put(key, pieces)


async def spool(content: AsyncIterator[bytes], path: Path) -> None:
    """Write pieces to a new file; a failure leaves no file."""
    with ExitStack() as opened:
        file = await _in_thread(lambda: opened.enter_context(path.open("xb")))
        try:
            async for piece in content:
                await _in_thread(file.write, piece)
        except BaseException:
            await _in_thread(path.unlink)
            raise


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Like asyncio.to_thread, but a cancelled caller waits for the thread: what it opens is known and closed."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
