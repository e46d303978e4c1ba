"""Reads further documents in limited child processes before they are taken."""

from adapters.plc_files.document_check import check_document
from adapters.plc_files.limited_child import ResourceLimitError
from adapters.plc_files.limited_process import LimitedProcess
from adapters.plc_files.upload_reader import killed
from domain.findings import Finding, Section
from domain.ports.passage_reader import PassageReader
from domain.upload import MEBIBYTE, SpooledFile, UploadLimits

_CPU_S, _CPU_S_A_MEBIBYTE = 5, 10


class LimitedPassageReader(PassageReader):
    """A child for each document."""

    def __init__(self, process: LimitedProcess, limits: UploadLimits) -> None:
        self._process = process
        self._limits = limits

    async def check(self, file: SpooledFile) -> Finding | None:
        """See the port."""
        try:
            return await self._process.run(check_document, file, self._limits, cpu_s=_cpu_s(file.size_bytes))
        except ResourceLimitError as error:
            return killed(error, Section.DOCUMENT, file.name)


def _cpu_s(file_bytes: int) -> int:
    """By its size, several times of what honest files take: a small one that takes long was made to."""
    return _CPU_S + _CPU_S_A_MEBIBYTE * file_bytes // MEBIBYTE
