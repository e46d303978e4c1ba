"""A ZIP that is made while it is sent: whatever its size, a piece of it is in memory at a time."""

import asyncio
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

_LEVEL = 1  # a listing shrinks to a tenth all the same, and the worker of the loop waits for less
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """A file to be: `size_bytes` as it is expected, so that one beyond 4 GiB gets the fields that it needs."""

    name: str
    size_bytes: int
    modified: datetime
    content: AsyncGenerator[bytes, None]


async def zipped(entries: AsyncIterator[ZipEntry]) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a ZIP of these files, each read once and in order. Compressing is done in threads."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        async for entry in entries:
            async with aclosing(entry.content) as content:
                with archive.open(_info(entry), "w") as target:
                    async for piece in content:
                        await asyncio.to_thread(target.write, piece)
                        if ready := sink.taken():
                            yield ready
            if ready := sink.taken():
                yield ready
    yield sink.taken()


class _Sink:
    """What zipfile writes to: nothing that could be gone back in, so it writes sizes behind the bytes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """There is nothing to flush."""

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _info(entry: ZipEntry) -> zipfile.ZipInfo:
    at = entry.modified.astimezone(UTC)
    info = zipfile.ZipInfo(entry.name)
    if _FIRST_YEAR <= at.year <= _LAST_YEAR:
        info.date_time = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.file_size = entry.size_bytes
    info.external_attr = 0o644 << 16
    return info
