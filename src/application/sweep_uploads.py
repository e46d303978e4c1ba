"""Remove what crashed uploads left in the blob store."""

from dataclasses import dataclass
from datetime import timedelta

from domain.errors import UnavailableError
from domain.ports.blob_store import BlobStore
from domain.ports.unit_of_work import UnitOfWork

LONGEST_UPLOAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepUploads:
    """Takes each prefix over first, so that an upload that is merely slow fails instead of losing its blobs."""

    unit_of_work: UnitOfWork
    blobs: BlobStore

    async def __call__(self) -> int:
        """Sweep once; return how many uploads were cleaned up after."""
        async with self.unit_of_work.begin() as transaction:
            prefixes = await transaction.uploads.take_abandoned(older_than=LONGEST_UPLOAD)
        failures: list[UnavailableError] = []
        for prefix in prefixes:
            try:
                await self._sweep(prefix)
            except UnavailableError as error:
                failures.append(error)  # one that cannot be removed now must not keep the others
        if failures:
            raise failures[0]
        return len(prefixes)

    async def _sweep(self, prefix: str) -> None:
        await self.blobs.delete_below(prefix)
        async with self.unit_of_work.begin() as transaction:
            await transaction.uploads.forget(prefix)
