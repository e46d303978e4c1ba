"""The readers of PLC files over one supply of limited child processes, as the product wires them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.plc_files.archive_members import LimitedArchiveReader
from adapters.plc_files.chunk_reader import LimitedChunkReader
from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_process import LimitedProcess
from adapters.plc_files.passage_reader import LimitedPassageReader
from adapters.plc_files.upload_reader import LimitedUploadReader
from domain.upload import UploadLimits

JOBS = ("adapters.plc_files.upload_jobs", "adapters.plc_files.document_jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedReaders:
    """What reads uploads, stored documents and single archive members."""

    uploads: LimitedUploadReader
    chunks: LimitedChunkReader
    passages: LimitedPassageReader
    archives: LimitedArchiveReader


@asynccontextmanager
async def limited_readers(
    limits: UploadLimits, process_limits: ProcessLimits | None = None, *, slots: int = 2
) -> AsyncIterator[LimitedReaders]:
    """The readers while the context lasts; `slots` children at most run at once."""
    async with LimitedProcess(process_limits or ProcessLimits(), slots=slots, preload=JOBS) as process:
        yield LimitedReaders(
            uploads=LimitedUploadReader(process, limits),
            chunks=LimitedChunkReader(process, limits),
            passages=LimitedPassageReader(process, limits),
            archives=LimitedArchiveReader(process, limits),
        )
