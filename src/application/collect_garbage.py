"""Remove what nobody owns and nothing else would ever remove."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from application.find_orphans import FindOrphans
from application.spool import sweep_scratch
from application.sweep_uploads import LONGEST_UPLOAD, SweepUploads
from domain.ports.blob_store import BlobStore, KeepsHalfWritten
from domain.ports.ownership import Ownership
from domain.ports.unit_of_work import UnitOfWork

LEFTOVERS_AFTER = timedelta(days=1)
_PER_PAGE = 500


class Garbage(StrEnum):
    """What there is to be removed; the values are stable, for scripts."""

    UPLOAD = "abandoned_upload"
    ORPHANS = "orphaned_blobs"
    SCRATCH = "scratch_folders"
    HALF_WRITTEN = "half_written_blobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed, or would be: a prefix and how many blobs stood below it, or just how many there were."""

    garbage: Garbage
    prefix: str = ""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectGarbage:
    """Safe beside everything else, and beside another collector.

    The prefix of an orphan is taken over first, in the same record in which an upload begins: so none can begin
    there, and a program that is there is noticed. Whoever dies in between has the sweep of uploads go on.
    """

    unit_of_work: UnitOfWork
    ownership: Ownership
    blobs: BlobStore
    find_orphans: FindOrphans
    sweep_uploads: SweepUploads
    scratch: Path

    async def __call__(self, *, is_dry: bool = False) -> AsyncIterator[Removed]:
        """Yield what was removed; a dry run yields what would be. Raises UnavailableError: calling again goes on."""
        async for upload in self._uploads(is_dry=is_dry):
            yield upload
        async for orphans in self.find_orphans():
            if orphans.prefix and await self._take(orphans.prefix, is_dry=is_dry):
                count = orphans.count if is_dry else await self._remove(orphans.prefix)
                yield Removed(garbage=Garbage.ORPHANS, prefix=orphans.prefix, count=count)
        if folders := await sweep_scratch(self.scratch, older_than=LEFTOVERS_AFTER, is_dry=is_dry):
            yield Removed(garbage=Garbage.SCRATCH, count=folders)
        if not is_dry and (half_written := await self._sweep_half_written()):
            yield Removed(garbage=Garbage.HALF_WRITTEN, count=half_written)

    async def _uploads(self, *, is_dry: bool) -> AsyncIterator[Removed]:
        after = ""
        while prefixes := await self._abandoned(after):
            counts = {prefix: await self._count(prefix) for prefix in prefixes}
            if not is_dry:
                await self.sweep_uploads()
            for prefix, count in counts.items():
                yield Removed(garbage=Garbage.UPLOAD, prefix=prefix, count=count)
            after = prefixes[-1]

    async def _abandoned(self, after: str) -> list[str]:
        return list(await self.ownership.abandoned_uploads(older_than=LONGEST_UPLOAD, after=after, limit=_PER_PAGE))

    async def _count(self, prefix: str) -> int:
        count = 0
        async for _ in self.blobs.list_below(prefix):
            count += 1
        return count

    async def _take(self, prefix: str, *, is_dry: bool) -> bool:
        async with self.unit_of_work.begin() as transaction:
            is_taken = await transaction.uploads.take_unowned(prefix)
            if is_taken and is_dry:
                await transaction.uploads.forget(prefix)
        return is_taken

    async def _remove(self, prefix: str) -> int:
        count = await self.blobs.delete_below(prefix)
        async with self.unit_of_work.begin() as transaction:
            await transaction.uploads.forget(prefix)
        return count

    async def _sweep_half_written(self) -> int:
        if not isinstance(self.blobs, KeepsHalfWritten):
            return 0
        return await self.blobs.sweep_temporary(older_than=LEFTOVERS_AFTER)
