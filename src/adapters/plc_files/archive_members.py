"""Takes one file out of a stored archive, for whoever wants its bytes."""

from pathlib import Path

from adapters.plc_files.document_jobs import extract_member
from adapters.plc_files.limited_process import LimitedProcess
from domain.errors import NotFoundError, UnavailableError
from domain.ports.archive_reader import ArchiveReader
from domain.upload import UploadLimits


class LimitedArchiveReader(ArchiveReader):
    """Unpacks in a limited child: a stored archive is as hostile as it was when it came."""

    def __init__(self, process: LimitedProcess, limits: UploadLimits) -> None:
        self._process = process
        self._limits = limits

    async def extract(self, source: Path, member: str, *, to: Path) -> None:
        """Write the member's bytes to a new file. Raises UnavailableError where the stored archive is damaged."""
        problem = await self._process.run(extract_member, source, member, to, self._limits)
        if problem == "":
            raise NotFoundError("archive member", member)
        if problem:
            raise UnavailableError("archive", problem)
