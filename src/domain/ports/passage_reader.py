"""What reads a further document before it is taken."""

from typing import Protocol

from domain.findings import Finding
from domain.upload import SpooledFile


class PassageReader(Protocol):
    """Reads hostile files: off the event loop, under limits of time and memory."""

    async def check(self, file: SpooledFile) -> Finding | None:
        """What is wrong with a file, found by reading all of it; None where it can be indexed.

        Raises UnavailableError when the reader itself cannot work now.
        """
        ...
