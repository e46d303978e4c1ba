"""Folders and files that nobody else on the machine may read."""

import os
import secrets
from pathlib import Path

Owner = tuple[int, int]  # user id, group id


def private_folder(folder: Path, *, owner: Owner | None = None) -> None:
    """Make a folder, with its parents, that its owner alone may enter."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner:
        os.chown(folder, *owner)
    folder.chmod(0o700)


def write_private(file: Path, text: str, *, owner: Owner | None = None) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
        if owner:
            os.fchown(stream.fileno(), *owner)
    temporary.replace(file)


def kept_secret(file: Path) -> str:
    """The secret in a file; drawn on the first call. It needs no quoting in a URL."""
    if not file.exists():
        private_folder(file.parent)
        write_private(file, secrets.token_hex(24))
    return file.read_text(encoding="ascii")
