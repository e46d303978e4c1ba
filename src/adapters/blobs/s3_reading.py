"""The bytes of an object as they come, on a line that must not be too slow."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from adapters.blobs.s3_bucket import SLOWEST_BYTES_PER_S, S3Bucket
from adapters.blobs.s3_errors import DEPENDENCY, code_of, translated_errors
from domain.errors import MisconfiguredError, NotFoundError, UnavailableError

PIECE_BYTES = 1024 * 1024
# The second is what nanio says, to a range that merely ends beyond the object as well.
_UNSATISFIABLE = {"InvalidRange", "416", "InvalidArgument"}


async def object_size(bucket: S3Bucket, key: str) -> int:
    """The number of bytes of an object. Raises NotFoundError, MisconfiguredError where the bucket itself is gone."""
    try:
        return int((await bucket.call("head_object", missing=key, Key=key))["ContentLength"])
    except NotFoundError:
        await bucket.call("head_bucket")  # an answer to HEAD has no body that could tell which of them is missing
        raise


async def read_range(bucket: S3Bucket, key: str, start: int, stop: int | None) -> AsyncGenerator[bytes, None]:
    """Yield [start, stop), which is cut to what there is as a slice is. Raises NotFoundError at the first piece."""
    if stop is not None and stop <= start:
        await object_size(bucket, key)
        return
    answer = await _answer_to(bucket, key, start, stop)
    if answer is None:  # asked once more with a range that fits, for servers that do not cut it themselves
        size_bytes = await object_size(bucket, key)
        if start >= size_bytes:
            return
        answer = await _answer_to(bucket, key, start, min(stop or size_bytes, size_bytes))
    if answer is None:
        raise UnavailableError(DEPENDENCY, "it refuses a range of bytes that it should have")
    async with aclosing(_pieces(bucket, answer)) as pieces:
        async for piece in pieces:
            yield piece


async def _answer_to(bucket: S3Bucket, key: str, start: int, stop: int | None) -> dict[str, Any] | None:
    """None for a range that the server cannot serve."""
    if start == 0 and stop is None:
        return await bucket.call("get_object", missing=key, Key=key)
    wanted = f"bytes={start}-{stop - 1 if stop else ''}"
    try:
        answer = await bucket.call("get_object", missing=key, Key=key, Range=wanted)
    except MisconfiguredError as error:
        if code_of(error) in _UNSATISFIABLE:
            return None
        raise
    if not _is_range(answer.get("ContentRange", ""), start, stop):
        answer["Body"].close()
        raise UnavailableError(DEPENDENCY, "it answers a range of bytes with something else")
    return answer


def _is_range(said: str, start: int, stop: int | None) -> bool:
    """Whether S3 says that it sends [start, stop), as far as there is an object."""
    if not (numbers := re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", said)):
        return False
    first, last, size_bytes = map(int, numbers.groups())
    return (first, last + 1) == (start, min(stop or size_bytes, size_bytes))


async def _pieces(bucket: S3Bucket, answer: dict[str, Any]) -> AsyncGenerator[bytes, None]:
    """What a body holds. Only the time that is spent waiting for S3 counts, not that of whoever takes the pieces."""
    clock = asyncio.get_running_loop().time
    patience_s = bucket.timeout_s
    body = answer["Body"]
    try:
        while True:
            begun = clock()
            with translated_errors("get_object"):
                async with asyncio.timeout(patience_s):
                    piece = await body.read(PIECE_BYTES)
            patience_s -= clock() - begun
            patience_s = min(bucket.timeout_s, patience_s + len(piece) / SLOWEST_BYTES_PER_S)
            if not piece:
                return
            yield piece
    finally:
        body.close()  # at once: of what nobody reads any more, the rest need not come
