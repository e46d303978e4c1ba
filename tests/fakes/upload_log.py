"""UploadLog in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.errors import ConflictError
from domain.ports.upload_log import UploadLog
from fakes.registry import InMemoryRegistry, StoredUpload, Tables


class InMemoryUploadLog(UploadLog):
    def __init__(self, registry: InMemoryRegistry, tables: Tables) -> None:
        self._registry = registry
        self._tables = tables
        self._uploads = tables.uploads

    async def begin(self, prefix: str) -> None:
        if prefix in self._uploads:
            raise ConflictError("an upload under this prefix is under way")
        self._uploads[prefix] = StoredUpload(started_at=self._registry.clock())

    async def finish(self, prefix: str) -> None:
        upload = self._uploads.get(prefix)
        if upload is None or upload.is_taken:
            raise ConflictError(f"the upload under {prefix} is no longer under way")
        del self._uploads[prefix]

    async def take_abandoned(self, *, older_than: timedelta) -> Sequence[str]:
        oldest = self._registry.clock() - older_than
        taken = [prefix for prefix, upload in self._uploads.items() if upload.started_at < oldest]
        for prefix in taken:
            self._uploads[prefix] = replace(self._uploads[prefix], is_taken=True)
        return taken

    async def take_unowned(self, prefix: str) -> bool:
        if prefix in self._uploads or prefix in self._tables.prefixes():
            return False
        self._uploads[prefix] = StoredUpload(started_at=self._registry.clock(), is_taken=True)
        return True

    async def forget(self, prefix: str) -> None:
        upload = self._uploads.get(prefix)
        if upload is not None and upload.is_taken:
            del self._uploads[prefix]
