"""Files on this machine that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from entrypoints.cli.printable import printable


class NotSavedError(click.ClickException):
    """The file cannot be written there; exit code 1."""


def target_of(chosen: str | None, name: str) -> Path:
    """Where the file goes: `chosen`, or `name` in it where that is a folder, or in this one where nothing is chosen."""
    target = Path(chosen or "")
    if target.is_dir() or (chosen and chosen.endswith(os.sep)):
        return target / name
    return target


@contextmanager
def kept_whole(target: Path, *, is_forced: bool) -> Iterator[BinaryIO]:
    """A file to write to, which takes the target's place at the end of the block and is gone where the block fails.

    Raises NotSavedError where a file is there and `is_forced` is false, and where it cannot be written.
    """
    _require_free(target, is_forced=is_forced)
    temporary = target.with_name(f".ladderbase-{secrets.token_hex(8)}.part")
    with _translated_errors(target):
        try:
            with temporary.open("xb+") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _place(temporary, target, is_forced=is_forced)
        finally:
            temporary.unlink(missing_ok=True)


def _require_free(target: Path, *, is_forced: bool) -> None:
    if target.exists() and not target.is_file():
        raise NotSavedError(f"{_shown(target)} is there and is no file: name another with -o")
    if not is_forced and (target.exists() or target.is_symlink()):
        raise _taken(target)


def _place(temporary: Path, target: Path, *, is_forced: bool) -> None:
    """Without force by a link, which fails where somebody made the target meanwhile."""
    if is_forced:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError:  # a file system without hard links
        _require_free(target, is_forced=False)
        temporary.replace(target)


@contextmanager
def _translated_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotSavedError(f"{_shown(target)} cannot be written: {error.strerror or error}") from error


def _taken(target: Path) -> NotSavedError:
    return NotSavedError(f"{_shown(target)} is there already: --force replaces it, -o names another")


def _shown(target: Path) -> str:
    return printable(str(target))
