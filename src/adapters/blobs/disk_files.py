"""The steps of a disk store that block: publishing, removing and walking files. Call them in a thread."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import ConflictError, MisconfiguredError, UnavailableError
from domain.ports.blob_store import BlobEntry

PUBLISH_ATTEMPTS = 20

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV}


def make_store(objects: Path, marker: Path) -> None:
    """Make the folder of the finished blobs, and the sign that this is a store, durably and in this order."""
    objects.mkdir(parents=True, exist_ok=True)
    if not marker.exists():
        marker.touch()
        _sync_folder(marker.parent)


def publish(temporary: Path, sha256: str, target: Path, root: Path) -> None:
    """Give a finished file its name, durably. Where a file of the same content has that name, leave it.

    A hard link is the one POSIX step that is atomic and never overwrites. Raises ConflictError where other
    content has the name or a blob stands in the place of a folder, MisconfiguredError on a volume without
    hard links.
    """
    for _ in range(PUBLISH_ATTEMPTS):
        # Not found: a removal took the folder, or the file that had the name, away between two steps.
        with suppress(FileNotFoundError):
            _link(temporary, sha256, target, root)
            _sync_folders(target.parent, root)
            return
    raise UnavailableError("blob store", f"the folder or the temporary file of {target.name} keeps disappearing")


def remove_tree(folder: Path, root: Path) -> int:
    """Remove every file below a folder, the folder, and its ancestors that are left empty; return the file count.

    Raises OSError for a folder that cannot be read: what is in it would stay, and nobody would know.
    """
    count = 0
    for parent, folders, files in os.walk(folder, topdown=False, onerror=_raise_unless_gone):
        for name in files:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(parent, name))  # noqa: PTH108, PTH118 - os.walk speaks strings, by the thousand
                count += 1
        for name in folders:
            _remove_if_empty(Path(parent, name))
    survivor = folder
    while survivor != root and _remove_if_empty(survivor):
        survivor = survivor.parent
    _sync_nearest(survivor, root)
    return count


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def walk(folder: Path, prefix: str) -> Iterator[BlobEntry]:
    """The files below a folder in key order, holding the entries of one folder per level."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name + "/" * entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        key = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk(folder / entry.name, key)
        elif entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                modified = datetime.fromtimestamp(status.st_mtime, tz=UTC)
                yield BlobEntry(key=key, size_bytes=status.st_size, modified=modified)


def remove_older(folder: Path, before: datetime) -> int:
    """Remove the files of one folder that were last written before a moment; return how many."""
    count = 0
    for entry in walk(folder, ""):
        if entry.modified < before:
            with suppress(FileNotFoundError):
                (folder / entry.key).unlink()
                count += 1
    return count


def _link(temporary: Path, sha256: str, target: Path, root: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(temporary, target)
    except (FileExistsError, NotADirectoryError):
        if any(folder.is_file() for folder in _upwards(target.parent, root)):
            raise ConflictError(f"{target.relative_to(root)} would lie below another blob") from None
        if target.is_dir() or _sha256(target) != sha256:
            raise ConflictError(f"{target.relative_to(root)} holds other content") from None
    except OSError as error:
        if error.errno in _NO_HARD_LINKS:
            raise MisconfiguredError(f"the volume of {root} cannot hold hard links") from error
        raise


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    return True


def _upwards(folder: Path, root: Path) -> Iterator[Path]:
    while folder != root:
        yield folder
        folder = folder.parent
    yield root


def _sync_folders(folder: Path, root: Path) -> None:
    """Flush every folder up to the root: any of them may be new, made by us or by a neighbour not yet here."""
    for level in _upwards(folder, root):
        with suppress(FileNotFoundError):  # removed again already
            _sync_folder(level)


def _sync_nearest(folder: Path, root: Path) -> None:
    for level in _upwards(folder, root):
        if level.is_dir():
            with suppress(FileNotFoundError):
                return _sync_folder(level)
    return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
