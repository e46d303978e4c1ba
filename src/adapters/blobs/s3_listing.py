"""What lies below a prefix of a bucket, objects and open uploads: listed, deleted, aborted."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from adapters.blobs.keys import checked_key
from adapters.blobs.s3_bucket import S3Bucket
from adapters.blobs.s3_errors import DEPENDENCY, code_of, refusal
from adapters.blobs.s3_write_once import MARK
from domain.errors import MisconfiguredError, UnavailableError
from domain.ports.blob_store import BlobEntry

PAGE = 1_000
_MOST_UPLOADS = 1_000

_log = logging.getLogger(__name__)


async def entries_below(bucket: S3Bucket, folder: str) -> AsyncIterator[BlobEntry]:
    """The blobs below a folder, '' for all, page by page. Objects that are no blobs of ours are left out."""
    prefix = f"{folder}/" if folder else ""
    token: dict[str, Any] = {}
    while True:
        page = await bucket.call("list_objects_v2", Prefix=prefix, MaxKeys=PAGE, **token)
        for found in page.get("Contents", []):
            if _is_blob(found["Key"]):
                yield BlobEntry(key=found["Key"], size_bytes=int(found["Size"]), modified=found["LastModified"])
        if not page.get("IsTruncated"):
            return
        following = page.get("NextContinuationToken", "")
        if following in {"", token.get("ContinuationToken")}:
            raise UnavailableError(DEPENDENCY, "its listing has no end")
        token = {"ContinuationToken": following}


async def delete_below(bucket: S3Bucket, folder: str) -> int:
    """Delete every object below a folder, by the thousand; return how many.

    Each page is the first one again: what is deleted cannot be skipped by a token that counted it.
    """
    count, before = 0, list[str]()
    while keys := await _first_keys(bucket, f"{folder}/"):
        if keys == before:
            raise UnavailableError(DEPENDENCY, "it still lists what it said to have deleted")
        await _delete(bucket, keys)
        count, before = count + len(keys), keys
    return count


async def abort_uploads(bucket: S3Bucket, folder: str) -> None:
    """Abort the open uploads to a folder, at most 1,000 of them.

    Where that is not permitted or not known to S3, nothing is done: a lifecycle rule may do it instead.
    """
    prefix = f"{folder}/"
    for upload in await _open_uploads(bucket, prefix):
        if upload["Key"].startswith(prefix):  # not every S3 heeds the prefix
            with _nothing_to_abort():
                await bucket.call("abort_multipart_upload", Key=upload["Key"], UploadId=upload["UploadId"])


async def _open_uploads(bucket: S3Bucket, prefix: str) -> list[dict[str, Any]]:
    with _nothing_to_abort():
        answer = await bucket.call("list_multipart_uploads", Prefix=prefix, MaxUploads=_MOST_UPLOADS)
        return list(answer.get("Uploads", []))
    return []


@contextmanager
def _nothing_to_abort() -> Iterator[None]:
    try:
        yield
    except MisconfiguredError as error:
        _log.info("open uploads are left to the lifecycle rules of the bucket: %s", error)
    except UnavailableError as error:
        if code_of(error) != "NoSuchUpload":  # it ended meanwhile; of a list, rclone's word for an empty one
            raise


async def _first_keys(bucket: S3Bucket, prefix: str) -> list[str]:
    page = await bucket.call("list_objects_v2", Prefix=prefix, MaxKeys=PAGE)
    return [found["Key"] for found in page.get("Contents", [])]


async def _delete(bucket: S3Bucket, keys: list[str]) -> None:
    objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
    answer = await bucket.call("delete_objects", Delete=objects)
    for problem in answer.get("Errors", []):  # the answer as a whole was a 200
        if problem.get("Code") != "NoSuchKey":
            raise refusal(str(problem.get("Code")), 500, "delete_objects")


def _is_blob(key: str) -> bool:
    """Consoles make objects that end in a slash, to show an empty folder."""
    try:
        return checked_key(key) != MARK
    except ValueError:
        return False
