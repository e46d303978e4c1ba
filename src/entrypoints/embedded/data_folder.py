"""The folder that one embedded product keeps its data in, and that nobody else uses meanwhile."""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from entrypoints.embedded.component import StartError
from entrypoints.embedded.folders import private_folder

_PREDECESSOR_LEAVES_S = 20.0
_POLL_S = 0.1


@asynccontextmanager
async def held(folder: Path) -> AsyncIterator[int]:
    """Make the folder and hold its lock; answers the open lock file.

    A lock without a living owner is what a killed supervisor's guard still holds: that one is waited for.

    Raises:
        StartError: somebody else holds it, or the folder cannot be used.
    """
    lock = _opened_lock(folder)
    try:
        await _lock(lock, folder)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        _empty_spool(folder / "spool")
        yield lock
    finally:
        os.close(lock)


def _opened_lock(folder: Path) -> int:
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(0o711)  # enough for the account that Postgres runs as, where we are root
        return os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"the data folder {folder} cannot be used: {error.strerror}") from error


async def _lock(lock: int, folder: Path) -> None:
    give_up_at = time.monotonic() + _PREDECESSOR_LEAVES_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode()
            if _lives(owner) or time.monotonic() > give_up_at:
                raise StartError(f"the data folder {folder} is in use by process {owner or '?'}") from None
            await asyncio.sleep(_POLL_S)
        else:
            return


def _lives(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _empty_spool(spool: Path) -> None:
    # Half-received uploads of a run that was killed.
    if spool.exists():
        shutil.rmtree(spool)
    private_folder(spool)
