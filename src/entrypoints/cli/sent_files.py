"""Files that tell how much of them is sent."""

import io
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

OnSent = Callable[[int, int], None]
"""Told how many bytes are read for sending, of how many; begins anew with each attempt."""


class WatchedFile(io.FileIO):
    """A file that tells each piece that is read of it."""

    def __init__(self, path: Path, on_read: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._on_read = on_read

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        piece = super().read(size) or b""
        self._on_read(len(piece))
        return piece


def watched(files: Mapping[str, Path], on_sent: OnSent | None, stack: ExitStack) -> dict[str, WatchedFile]:
    """The files opened, until the stack is left; `on_sent` hears of all of them together."""
    total = sum(path.stat().st_size for path in files.values())
    sent = 0

    def count(size_bytes: int) -> None:
        nonlocal sent
        sent += size_bytes
        if on_sent is not None:
            on_sent(sent, total)

    return {field: stack.enter_context(WatchedFile(path, count)) for field, path in files.items()}
