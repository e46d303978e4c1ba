"""Whether an S3 keeps the first of two objects by itself, found out with a mark of ours in the bucket."""

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.blobs.s3_bucket import S3Bucket
from adapters.blobs.s3_errors import code_of
from domain.errors import MisconfiguredError, UnavailableError

MARK = ".ladderbase/write-once"
ONLY_NEW: Mapping[str, Any] = {"IfNoneMatch": "*"}


class WriteOnce:
    """Asks once, with one request where an earlier process has left the mark, else with two."""

    def __init__(self, bucket: S3Bucket) -> None:
        self._bucket = bucket
        self._asking = asyncio.Lock()
        self._is_kept: bool | None = None

    async def is_kept(self) -> bool:
        """Whether a put with `If-None-Match: *` spares what stands, wherever two of them come from.

        Raises MisconfiguredError where nothing can be put at all, UnavailableError: then the next call asks again.
        """
        if self._is_kept is None:
            async with self._asking:
                if self._is_kept is None:
                    self._is_kept = await self._second_mark_is_refused()
        return self._is_kept

    async def _second_mark_is_refused(self) -> bool:
        for _ in range(2):
            try:
                await self._put(**ONLY_NEW)
            except (MisconfiguredError, UnavailableError) as error:
                if is_taken(error) or is_contended(error):
                    return True
                if isinstance(error, UnavailableError):
                    raise
                await self._put()  # if that is not refused, the condition was
                return False
        return False

    async def _put(self, **conditions: Any) -> None:
        await self._bucket.call("put_object", Key=MARK, Body=b"", **conditions, **self._bucket.encryption)


def is_taken(error: BaseException) -> bool:
    """Whether S3 refused a put for the sake of what stands."""
    return code_of(error) in {"PreconditionFailed", "412"}


def is_contended(error: BaseException) -> bool:
    """Whether S3 refused a put since another one under the same key was under way."""
    return code_of(error) == "ConditionalRequestConflict"
