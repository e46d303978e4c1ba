"""Blobs as files below one folder of a local disk."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from adapters.blobs import disk_files
from adapters.blobs.incoming_file import IncomingFile
from adapters.blobs.keys import checked_key, checked_prefix, checked_range
from adapters.blobs.options import StorageOptions, never_used
from domain.errors import MisconfiguredError, NotFoundError, UnavailableError
from domain.ports.blob_store import BlobEntry, BlobStore, KeepsHalfWritten, StoredBlob

PIECE_BYTES = 1024 * 1024
LISTING_PAGE = 500
MARKER = ".ladderbase-store"
_LEFTOVERS_AFTER = timedelta(days=1)

T = TypeVar("T")
_log = logging.getLogger(__name__)


class StoreAwayError(UnavailableError):
    """The folder is not the store, or nobody can tell yet whether it is: what is in it says nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__("blob store", reason)


class LocalDiskBlobStore(BlobStore, KeepsHalfWritten):
    """Files below `root`, which must be on one volume that knows hard links.

    Finished blobs stand under `objects/`, half-written ones under `incoming/`: whatever a crash leaves
    can be neither read nor listed, and `sweep_temporary` removes it. Safe with several processes on one
    root. A put that is cancelled while its last step runs lets that step end, so the blob is whole or absent.

    A folder that is not the store, because its volume is not mounted, is an outage: blobs are not missing there,
    removing them is not done, and nothing is written. MARKER tells the store from an empty folder, which becomes one
    only where `is_in_use` says that nothing was stored yet. Until that is known, every call asks again.
    """

    def __init__(self, root: Path, *, is_in_use: Callable[[], Awaitable[bool]] = never_used) -> None:
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        self._marker = root / MARKER
        self._is_in_use = is_in_use
        self._is_prepared = False

    async def prepare(self) -> None:
        """Know the store, or make it. Raises StoreAwayError, and UnavailableError for a folder that cannot be used."""
        if not await _in_thread(self._is_the_store):
            await self._require_first_use()
        await _in_thread(disk_files.make_store, self._objects, self._marker)
        self._is_prepared = True

    async def _require_first_use(self) -> None:
        try:
            is_in_use = await self._is_in_use()
        except (UnavailableError, MisconfiguredError) as error:
            raise StoreAwayError(f"the folder is empty, and whether it should be is not known yet: {error}") from error
        if is_in_use:
            raise StoreAwayError(
                f"its volume is away: the folder is empty, and programs have files. Mount it, or where they are lost"
                f" make an empty file {MARKER} in it"
            )

    def _is_the_store(self) -> bool:
        """Before there was a marker, blobs of programs were the sign; the probes of readiness were everywhere."""
        return self._marker.exists() or (self._objects / "programs").exists()

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        """Write aside, flush, then link into place: a reader never sees a part. Raises ConflictError."""
        target = self._objects / checked_key(key)
        incoming = IncomingFile(self._incoming)
        await self._in_folder(_nothing)
        try:
            await _receive(content, incoming)
            await self._in_folder(_commit, incoming, target, self._objects)
        finally:
            await _in_thread(incoming.discard)
        return StoredBlob(key=key, size_bytes=incoming.size_bytes, sha256=incoming.sha256)

    async def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield [start, stop) in pieces of at most 1 MiB. Raises NotFoundError, ValueError for a negative bound."""
        checked_range(start, stop)
        reader = _Reader(self._objects / checked_key(key), start)
        left = stop - start if stop is not None else None
        try:
            while piece := await self._in_folder(reader.read, PIECE_BYTES if left is None else left, missing=key):
                yield piece
                left = left - len(piece) if left is not None else None
        finally:
            reader.close()

    async def size(self, key: str) -> int:
        """The number of bytes under key. Raises NotFoundError."""
        return await self._in_folder(_file_size, self._objects / checked_key(key), missing=key)

    async def delete_below(self, prefix: str) -> int:
        """Delete a folder of blobs. Raises ValueError for '': nobody empties a whole store by mistake."""
        folder = checked_key(checked_prefix(prefix))
        return await self._in_folder(disk_files.remove_tree, self._objects / folder, self._objects)

    async def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        """Yield the blobs of a folder in key order; the folder is read as the listing is consumed."""
        folder = checked_prefix(prefix)
        entries = disk_files.walk(self._objects / folder, folder)
        while page := await self._in_folder(_page, entries):
            for entry in page:
                yield entry

    async def sweep_temporary(self, *, older_than: timedelta) -> int:
        """Remove what crashes left half-written and nobody wrote to for so long; return how many files."""
        return await _in_thread(disk_files.remove_older, self._incoming, datetime.now(tz=UTC) - older_than)

    async def _in_folder(self, work: Callable[..., T], *args: object, missing: str | None = None) -> T:
        if not self._is_prepared:
            await self.prepare()

        def run() -> T:
            if not (self._marker.exists() and self._objects.is_dir()):
                raise UnavailableError("blob store", f"its folder, or {MARKER} in it, is gone")
            return work(*args)

        return await _in_thread(run, missing=missing)


@asynccontextmanager
async def opened(options: StorageOptions) -> AsyncIterator[BlobStore]:
    """The store below STORAGE_LOCAL_ROOT, once what crashes left there is gone. Raises MisconfiguredError.

    One whose volume is away, or of which the record cannot be asked yet, is waited for by whoever uses it.
    """
    root = Path(options.local_root)
    store = LocalDiskBlobStore(root, is_in_use=options.is_in_use)
    try:
        await _in_thread(partial(root.mkdir, parents=True, exist_ok=True))
        await store.sweep_temporary(older_than=_LEFTOVERS_AFTER)
        await store.prepare()
    except StoreAwayError as error:
        _log.error("STORAGE_LOCAL_ROOT: %s", error)
    except UnavailableError as error:
        raise MisconfiguredError(f"the setting STORAGE_LOCAL_ROOT names an unusable folder: {error.reason}") from error
    yield store


class _Reader:
    """A file opened by its first read, so that whoever made the reader can close it whatever happened."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._start = start
        self._file: BinaryIO | None = None

    def read(self, size_bytes: int) -> bytes:
        if self._file is None:
            self._file = self._path.open("rb", buffering=0)
            self._file.seek(self._start)
        return self._file.read(max(0, min(size_bytes, PIECE_BYTES)))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


async def _receive(content: AsyncIterator[bytes], incoming: IncomingFile) -> None:
    """Gather small pieces, so that a thread is called about once for a mebibyte."""
    pending = bytearray()
    async for piece in content:
        pending += piece
        if len(pending) >= PIECE_BYTES:
            await _in_thread(incoming.write, bytes(pending))
            pending.clear()
    await _in_thread(incoming.write, bytes(pending))


def _nothing() -> None:
    pass


def _commit(incoming: IncomingFile, target: Path, root: Path) -> None:
    incoming.flush()
    disk_files.publish(incoming.path, incoming.sha256, target, root)


def _file_size(path: Path) -> int:
    if path.is_dir():
        raise IsADirectoryError(path)
    return path.stat().st_size


def _page(entries: Iterator[BlobEntry]) -> list[BlobEntry]:
    return list(islice(entries, LISTING_PAGE))


async def _in_thread(work: Callable[..., T], *args: object, missing: str | None = None) -> T:
    """Run blocking work, and on cancellation wait for it: nobody may close a file that a thread still writes.

    With `missing`, a file that is not there raises NotFoundError for that key.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *args))
    with _translated_errors(missing):
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await _settled(running)
            raise


async def _settled(running: "asyncio.Future[T]") -> None:
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            continue  # the first cancellation is about to be raised anyway
    if not running.cancelled():
        running.exception()


@contextmanager
def _translated_errors(missing: str | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if missing is not None and isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
            raise NotFoundError("blob", missing) from error
        raise UnavailableError("blob store", error.strerror or type(error).__name__) from error
