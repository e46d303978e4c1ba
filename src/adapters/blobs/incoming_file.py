"""A file on its way into the disk store."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


class IncomingFile:
    """Blocking writes to a file of its own, made at the first of them. Call the methods in a thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"put-{uuid4().hex}"
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of what was written so far."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Append a piece."""
        view = memoryview(piece)
        self._digest.update(view)
        self.size_bytes += len(view)
        while view:
            # Unbuffered, so that a full disk is noticed here; the price is that a write may be short.
            view = view[self._opened().write(view) :]

    def flush(self) -> None:
        """Make the content durable."""
        os.fsync(self._opened().fileno())

    def discard(self) -> None:
        """Close the file and remove its temporary name. Harmless when it was never made."""
        if self._file is not None:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb", buffering=0)
        return self._file
