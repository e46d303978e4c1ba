"""Streaming between local files and the blob store, in pieces, off the event loop.

Local files stand on the scratch disk: where that fails, UnavailableError.
"""

import asyncio
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from domain.errors import UnavailableError
from domain.ports.blob_store import BlobStore, StoredBlob

T = TypeVar("T")

SCRATCH_PREFIX = "ladderbase-"
PIECE_BYTES = 1024 * 1024


async def pieces_of(path: Path, *, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
    """Yield a file's bytes [start, stop) in pieces of at most 1 MiB."""
    with ExitStack() as opened:
        file = await _in_thread(lambda: opened.enter_context(path.open("rb")))
        await _in_thread(file.seek, start)
        left = sys.maxsize if stop is None else stop - start
        while piece := await _in_thread(file.read, min(left, PIECE_BYTES)):
            left -= len(piece)
            yield piece


async def remove_file(path: Path) -> None:
    """Remove a file that stands there."""
    await _in_thread(path.unlink)


async def store_file(blobs: BlobStore, key: str, path: Path) -> StoredBlob:
    """Put a file's bytes under key; whatever happens, the file is closed again."""
    async with aclosing(pieces_of(path)) as pieces:
        return await blobs.put(key, pieces)


async def sha256_of(path: Path) -> str:
    """The SHA-256 (hex) of a file's bytes."""

    def digest() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return await _in_thread(digest)


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


@asynccontextmanager
async def scratch_folder(parent: Path) -> AsyncIterator[Path]:
    """A folder for files on their way through, gone afterwards. What a crash leaves begins with SCRATCH_PREFIX."""
    folder = Path(await _in_thread(partial(tempfile.mkdtemp, prefix=SCRATCH_PREFIX, dir=parent)))
    try:
        yield folder
    finally:
        await _in_thread(shutil.rmtree, folder)


async def sweep_scratch(parent: Path, *, older_than: timedelta, is_dry: bool = False) -> int:
    """Remove the folders that crashes left, or only count them. Several processes may do so at once."""
    return await _in_thread(_remove_leftovers, parent, time.time() - older_than.total_seconds(), is_dry)


def _remove_leftovers(parent: Path, before: float, is_dry: bool) -> int:  # noqa: FBT001 - a thread's argument
    count = 0
    for folder in parent.glob(f"{SCRATCH_PREFIX}*"):
        with suppress(FileNotFoundError):  # another process was faster
            if folder.is_dir() and folder.stat().st_mtime < before:
                if not is_dry:
                    shutil.rmtree(folder)
                count += 1
    return count


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Like asyncio.to_thread, but a cancelled caller waits for the thread: what it opens is known and closed."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
    except OSError as error:
        raise UnavailableError("scratch disk", error.strerror or type(error).__name__) from error
