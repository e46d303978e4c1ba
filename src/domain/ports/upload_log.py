"""The record of uploads under way, so that a crash between blob and commit leaves nothing for good."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol


class UploadLog(Protocol):
    """One entry per blob prefix that is being written and not yet owned by a program."""

    async def begin(self, prefix: str) -> None:
        """Record, before the first blob, that blobs are about to appear under prefix."""
        ...

    async def finish(self, prefix: str) -> None:
        """The blobs are owned by a program now, or are gone. Raises ConflictError when a sweeper took the prefix."""
        ...

    async def take_abandoned(self, *, older_than: timedelta) -> Sequence[str]:
        """Take over the prefixes begun longer ago than this: their uploader can no longer finish.

        Repeatable: what was taken and not yet forgotten is returned again.
        """
        ...

    async def take_unowned(self, prefix: str) -> bool:
        """Take over a prefix as if an upload had been abandoned there; none can begin under it until it is forgotten.

        False, and nothing is taken, while an upload is under way there or its revision is not purged.
        """
        ...

    async def forget(self, prefix: str) -> None:
        """The blobs of a taken prefix are gone."""
        ...
