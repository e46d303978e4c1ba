"""Blobs as objects of one bucket of an S3."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from adapters.blobs import s3_listing
from adapters.blobs.keys import checked_key, checked_prefix, checked_range
from adapters.blobs.options import StorageOptions
from adapters.blobs.s3_bucket import S3Bucket, opened_bucket
from adapters.blobs.s3_errors import DEPENDENCY, code_of
from adapters.blobs.s3_reading import object_size, read_range
from adapters.blobs.s3_upload import Upload
from adapters.blobs.s3_write_once import ONLY_NEW, WriteOnce, is_contended, is_taken
from domain.errors import ConflictError, LadderbaseError, MisconfiguredError, NotFoundError, UnavailableError
from domain.ports.blob_store import BlobEntry, BlobStore, StoredBlob

_BUFFERS = 8
_COMMITS = 4
_GREETING_S = 4.0
_IS_MD5_OF_CONTENT = 32

_log = logging.getLogger(__name__)


class S3BlobStore(BlobStore):
    """Objects under the keys of their blobs, written once.

    Where S3 honours `If-None-Match: *`, the first of several puts wins wherever they come from. Where it does not,
    that holds within one process; of two processes that put other contents under one key at the same moment, the
    later may win, and the earlier is told so only if it has not looked yet. Keys of this product are never shared.
    """

    def __init__(self, bucket: S3Bucket) -> None:
        self._bucket = bucket
        self._write_once = WriteOnce(bucket)
        self._buffers = asyncio.Semaphore(_BUFFERS)
        self._committing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, key: str, content: AsyncIterator[bytes]) -> StoredBlob:
        """Send in bounded memory, then look at what stands. Raises ConflictError, MisconfiguredError."""
        upload = Upload(self._bucket, checked_key(key), buffers=self._buffers)
        try:
            await upload.receive(content)
            async with self._committing.setdefault(key, asyncio.Lock()):
                await self._commit(upload)
        finally:
            await upload.discard()
        return StoredBlob(key=key, size_bytes=upload.size_bytes, sha256=upload.sha256)

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Yield [start, stop) in pieces of at most 1 MiB. Raises NotFoundError, ValueError for a negative bound."""
        checked_range(start, stop)
        return read_range(self._bucket, checked_key(key), start, stop)

    async def size(self, key: str) -> int:
        """The number of bytes under key. Raises NotFoundError."""
        return await object_size(self._bucket, checked_key(key))

    async def delete_below(self, prefix: str) -> int:
        """Delete a folder of blobs and what is being uploaded to it. Raises ValueError for ''."""
        folder = checked_key(checked_prefix(prefix))
        await s3_listing.abort_uploads(self._bucket, folder)
        return await s3_listing.delete_below(self._bucket, folder)

    def list_below(self, prefix: str) -> AsyncIterator[BlobEntry]:
        """Yield the blobs of a folder in key order: S3's order of UTF-8 bytes is that of code points."""
        return s3_listing.entries_below(self._bucket, checked_prefix(prefix))

    async def prove_usable(self) -> None:
        """Raises MisconfiguredError where the settings do not allow to put anything, UnavailableError."""
        await self._write_once.is_kept()

    async def _commit(self, upload: Upload) -> None:
        conditions: Mapping[str, Any] = ONLY_NEW if await self._write_once.is_kept() else {}
        if not conditions and (standing := await self._standing(upload.key)):
            return await self._require_same(standing, upload)
        if await self._is_new(upload, conditions):
            return await self._verify(upload)
        if standing := await self._standing(upload.key):
            return await self._require_same(standing, upload)
        raise UnavailableError(DEPENDENCY, "what stood under the key, or an upload to it, was removed meanwhile")

    async def _is_new(self, upload: Upload, conditions: Mapping[str, Any]) -> bool:
        """False where something stands, which may be ours: S3 did what was asked, and its answer was lost."""
        for _ in range(_COMMITS):
            try:
                await upload.commit(conditions)
            except (MisconfiguredError, UnavailableError) as error:
                if is_taken(error) or code_of(error) == "NoSuchUpload":
                    return False
                if not is_contended(error) or not upload.is_whole:
                    raise
            else:
                return True
        raise UnavailableError(DEPENDENCY, "others keep putting the same key")

    async def _require_same(self, standing: "_Standing", upload: Upload) -> None:
        sha256 = standing.sha256
        if standing.size_bytes == upload.size_bytes and not sha256:  # it came in parts
            digest = hashlib.sha256()
            async for piece in read_range(self._bucket, upload.key, 0, None):
                digest.update(piece)
            sha256 = digest.hexdigest()
        if (standing.size_bytes, sha256) != (upload.size_bytes, upload.sha256):
            raise ConflictError(f"{upload.key} holds other content")

    async def _verify(self, upload: Upload) -> None:
        """An acknowledged put may be missing, short or wrong all the same: look before anybody relies on it."""
        standing = await self._standing(upload.key)
        if standing is None:
            raise UnavailableError(DEPENDENCY, "what it said to have stored is not there")
        if standing.sha256 not in {"", upload.sha256}:
            raise ConflictError(f"{upload.key} was given other content at the same time")
        if standing.size_bytes != upload.size_bytes or not standing.may_have_etag(upload.etag):
            with suppress(LadderbaseError):  # nobody was told of it, and its prefix is swept
                await self._bucket.call("delete_object", Key=upload.key)
            raise UnavailableError(DEPENDENCY, "what it stored is not what it was sent")

    async def _standing(self, key: str) -> "_Standing | None":
        try:
            return _standing(await self._bucket.call("head_object", missing=key, Key=key))
        except NotFoundError:
            return None


@asynccontextmanager
async def opened(options: StorageOptions) -> AsyncIterator[BlobStore]:
    """The store in S3_BUCKET_NAME. An S3 that does not answer does not keep it from opening.

    Raises MisconfiguredError where S3 answers that it cannot be used as the settings say.
    """
    async with opened_bucket(options) as bucket:
        store = S3BlobStore(bucket)
        try:
            async with asyncio.timeout(_GREETING_S):
                await store.prove_usable()
        except (TimeoutError, UnavailableError) as error:
            _log.warning("S3 does not answer yet: %s", str(error) or "timeout")
        yield store


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """An object as HEAD shows it. `sha256` is empty for one that came in parts: it had to be said before."""

    size_bytes: int
    sha256: str
    etag: str
    encryption: str

    def may_have_etag(self, etag: str) -> bool:
        """Whether the ETag, where it is made of MD5s in the same way, is the one that was calculated here."""
        comparable = len(self.etag) == len(etag) and self.etag[_IS_MD5_OF_CONTENT:] == etag[_IS_MD5_OF_CONTENT:]
        return self.encryption.startswith("aws:kms") or not comparable or self.etag == etag


def _standing(answer: dict[str, Any]) -> _Standing:
    metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    return _Standing(
        size_bytes=int(answer["ContentLength"]),
        sha256=metadata.get("sha256", ""),
        etag=answer.get("ETag", "").strip('"'),
        encryption=answer.get("ServerSideEncryption", ""),
    )
