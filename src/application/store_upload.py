"""Store the files of an upload under a prefix of its own, all of them or none."""

from collections.abc import Mapping
from dataclasses import dataclass

from application.spool import store_file
from application.together import together
from domain.document import DocumentType
from domain.ports.blob_store import BlobStore, StoredBlob
from domain.ports.unit_of_work import UnitOfWork
from domain.registration import uploaded_files
from domain.upload import SpooledFile, Upload

StoredFiles = Mapping[DocumentType, tuple[SpooledFile, StoredBlob]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUpload:
    """The prefix was recorded before: a crash leaves nothing that no one knows of."""

    blobs: BlobStore
    unit_of_work: UnitOfWork

    async def __call__(self, upload: Upload, prefix: str) -> StoredFiles:
        """Put every file at once. Raises what the blob store raises; then nothing is left under the prefix."""
        files = uploaded_files(upload, prefix)
        try:
            blobs = await together(*(store_file(self.blobs, key, file.path) for file, key in files.values()))
        except Exception:
            await self.blobs.delete_below(prefix)
            async with self.unit_of_work.begin() as transaction:
                await transaction.uploads.finish(prefix)
            raise
        return {kind: (file, blob) for (kind, (file, _)), blob in zip(files.items(), blobs, strict=True)}
