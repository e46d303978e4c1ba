"""Content on its way into an object: in one piece while it is small, in parts as it grows."""

import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from io import BytesIO
from typing import Any, TypeVar

from adapters.blobs.s3_bucket import S3Bucket
from adapters.blobs.s3_errors import DEPENDENCY, code_of
from domain.errors import LadderbaseError, UnavailableError

PART_BYTES = 8 * 1024 * 1024
PARTS_IN_MEMORY = 3
_PIECE_BYTES = 1024 * 1024
_ABORT_S = 10.0

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Upload:
    """Receive, then commit, then discard whatever came of it.

    Up to PART_BYTES are sent in one request. More are sent in parts as they come, with PARTS_IN_MEMORY of
    them here at a time. Whoever gathers more than 1 MiB holds one of `buffers`, which bounds the memory of all
    uploads of a process together.
    """

    def __init__(self, bucket: S3Bucket, key: str, *, buffers: asyncio.Semaphore) -> None:
        self.key = key
        self.size_bytes = 0
        self._bucket = bucket
        self._buffers = buffers
        self._holds_buffer = False
        self._gathered = BytesIO()
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._upload_id: str | None = None
        self._sending = asyncio.Semaphore(PARTS_IN_MEMORY - 1)  # one more is being gathered
        self._md5s: list[bytes] = []
        self._parts: dict[int, dict[str, Any]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._sent: list[asyncio.Task[None]] = []

    @property
    def sha256(self) -> str:
        """Hex digest of what was received so far."""
        return self._sha256.hexdigest()

    @property
    def etag(self) -> str:
        """What an S3 whose ETags are made of MD5s gives for the whole content."""
        if not self._md5s:
            return self._md5.hexdigest()
        return f"{hashlib.md5(b''.join(self._md5s), usedforsecurity=False).hexdigest()}-{len(self._md5s)}"

    @property
    def is_whole(self) -> bool:
        """Whether it is sent in one request, and can be sent again."""
        return not self._md5s

    async def receive(self, content: AsyncIterator[bytes]) -> None:
        """Take the content in; a part that cannot be sent ends that at once. Raises what the content raises.

        No task group, for the reasons of application.together.
        """
        self._reading = reading = asyncio.create_task(self._read(content))
        try:
            await asyncio.wait({reading})
            # A part that has failed is why the reading ended, whatever that made of it.
            await asyncio.gather(*(task for task in self._sent if task.done()), reading)
            await asyncio.gather(*self._sent)
        finally:
            tasks = {reading, *self._sent}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def commit(self, conditions: Mapping[str, Any]) -> None:
        """Make the content an object under the key, all at once."""
        if self._upload_id:
            await _to_its_end(self._complete(self._upload_id, conditions))
        else:
            self._gathered.seek(0)  # again for each attempt
            about: dict[str, Any] = {
                "Metadata": {"sha256": self.sha256},
                **self._digest(),
                **self._bucket.encryption,
                **conditions,
            }
            await self._bucket.call(
                "put_object", size_bytes=self.size_bytes, Key=self.key, Body=self._gathered, **about
            )

    async def discard(self) -> None:
        """Give back what is held, here and at the server. Harmless after a commit."""
        self._gathered = BytesIO()
        self._release_buffer()
        if self._upload_id:
            await _to_its_end(self._abort(self._upload_id))

    async def _read(self, content: AsyncIterator[bytes]) -> None:
        async for piece in content:
            await self._take(piece)
        if self._upload_id:
            await self._send_part()

    async def _take(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            if (room := PART_BYTES - self._gathered.tell()) == 0:
                await self._send_part()
                continue
            taken, rest = rest[: min(room, _PIECE_BYTES)], rest[min(room, _PIECE_BYTES) :]
            await self._hold_buffer_for(self._gathered.tell() + len(taken))
            for digest in (self._sha256, self._md5):
                digest.update(taken)
            self.size_bytes += self._gathered.write(taken)

    async def _send_part(self) -> None:
        if not self._upload_id:
            await _to_its_end(self._begin())
        await self._sending.acquire()
        self._md5s.append(self._md5.digest())
        task = asyncio.create_task(self._send(len(self._md5s), self._gathered, self._digest()))
        self._sent.append(task)
        self._gathered, self._md5 = BytesIO(), hashlib.md5(usedforsecurity=False)
        # In callbacks: a task that is cancelled before its first step never comes to its own `finally`.
        task.add_done_callback(self._end_part)
        if self._holds_buffer:
            self._holds_buffer = False
            task.add_done_callback(lambda _: self._buffers.release())

    def _end_part(self, task: asyncio.Task[None]) -> None:
        self._sending.release()
        if self._reading and not task.cancelled() and task.exception():
            self._reading.cancel()

    async def _send(self, number: int, part: BytesIO, digest: Mapping[str, Any]) -> None:
        size_bytes = part.tell()
        part.seek(0)
        place: dict[str, Any] = {"Key": self.key, "UploadId": self._upload_id, "PartNumber": number}
        answer = await self._bucket.call("upload_part", size_bytes=size_bytes, Body=part, **place, **digest)
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        self._parts[number] = {"PartNumber": number, "ETag": answer.get("ETag", ""), **checksums}

    async def _begin(self) -> None:
        answer = await self._bucket.call("create_multipart_upload", Key=self.key, **self._bucket.encryption)
        if not answer.get("UploadId"):
            raise UnavailableError(DEPENDENCY, "it began an upload without naming it")
        self._upload_id = answer["UploadId"]

    async def _complete(self, upload_id: str, conditions: Mapping[str, Any]) -> None:
        parts = {"Parts": [self._parts[number] for number in sorted(self._parts)]}
        await self._bucket.call(
            "complete_multipart_upload",
            Key=self.key,
            UploadId=upload_id,
            MultipartUpload=parts,
            **conditions,
        )
        self._upload_id = None

    async def _abort(self, upload_id: str) -> None:
        try:
            async with asyncio.timeout(_ABORT_S):
                await self._bucket.call("abort_multipart_upload", Key=self.key, UploadId=upload_id)
        except (LadderbaseError, TimeoutError) as error:
            # Whatever made us give up is the news; the deletion of the folder finds what stays open.
            if code_of(error) != "NoSuchUpload":
                _log.warning(
                    "an upload to S3 could not be aborted, and is left to the deletion of its folder: %s", error
                )
        self._upload_id = None

    def _digest(self) -> dict[str, Any]:
        return {"ContentMD5": base64.b64encode(self._md5.digest()).decode()} if self._bucket.content_md5 else {}

    async def _hold_buffer_for(self, size_bytes: int) -> None:
        if size_bytes > _PIECE_BYTES and not self._holds_buffer:
            await self._buffers.acquire()
            self._holds_buffer = True

    def _release_buffer(self) -> None:
        if self._holds_buffer:
            self._holds_buffer = False
            self._buffers.release()


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Run what must be known to have happened or not; a cancellation comes after it. Its deadlines bound the wait."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                continue  # the first cancellation is about to be raised anyway
        if not running.cancelled():
            running.exception()
        raise
