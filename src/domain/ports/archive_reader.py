"""What takes one file out of a stored archive."""

from pathlib import Path
from typing import Protocol


class ArchiveReader(Protocol):
    """Reads members of archives that passed inspection; checks them again all the same."""

    async def extract(self, source: Path, member: str, *, to: Path) -> None:
        """Write the member's bytes to a new file. Raises NotFoundError when there is no such member."""
        ...
