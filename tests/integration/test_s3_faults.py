"""Puts to an S3 that fails: what is lost, slow, forbidden or untrue on the way."""

import asyncio
import re
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from adapters.blobs.s3 import opened
from adapters.blobs.s3_upload import PART_BYTES
from builders.s3_proxy import (
    FAILURES,
    Asked,
    Fault,
    Forward,
    S3Proxy,
    answered,
    connection_is_lost,
    followed_by,
    passed_on,
    refused,
    reply_is_lost,
    s3_proxy,
)
from builders.s3_servers import SECRET, S3Server, moto, nanio
from contracts.blob_store import KEY, MEBIBYTE, keys_below, pieces, read_all
from domain.errors import ConflictError, MisconfiguredError, UnavailableError
from domain.ports.blob_store import BlobStore

# A put that is given up leaves bytes in a socket that its server need not take before the test's event loop is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*_SelectorTransport.__del__:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket.socket fd=:pytest.PytestUnraisableExceptionWarning"),
]

LARGE = [bytes([number]) * MEBIBYTE for number in range(PART_BYTES // MEBIBYTE + 1)]
STEPS_IN_PARTS = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]
SLOW_DOWN = refused(503, "SlowDown")


@pytest.fixture(scope="module", params=[nanio, moto], ids=["nanio", "moto"])
def server(request: pytest.FixtureRequest) -> Iterator[S3Server]:
    """One that overwrites, and one that keeps the first."""
    with request.param() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


@pytest.fixture
async def proxy(server: S3Server) -> AsyncIterator[S3Proxy]:
    async with s3_proxy(server) as proxy:
        yield proxy


@pytest.fixture
async def blob_store(server: S3Server, proxy: S3Proxy, bucket: str) -> AsyncIterator[BlobStore]:
    options = server.options(bucket, endpoint_url=proxy.url, timeout_s=1.5, connect_timeout_s=1)
    async with opened(options) as store:
        proxy.asked.clear()
        yield store


async def test_a_small_put_is_one_put_and_one_look(server: S3Server, proxy: S3Proxy, blob_store: BlobStore) -> None:
    await blob_store.put(KEY, pieces(b"ladder"))
    first_look = [] if server.keeps_the_first else ["HeadObject"]
    assert proxy.asked == [*first_look, "PutObject", "HeadObject"]
    assert "expect" not in proxy.seen[-2].headers


async def test_a_put_whose_reply_is_lost_succeeds(proxy: S3Proxy, blob_store: BlobStore) -> None:
    proxy.faults = {"PutObject": [reply_is_lost], "CompleteMultipartUpload": [reply_is_lost]}
    small = await blob_store.put(KEY, pieces(b"ladder"))
    large = await blob_store.put("a/large", pieces(*LARGE))
    assert await blob_store.size(KEY) == small.size_bytes
    assert await blob_store.size("a/large") == large.size_bytes


@pytest.mark.parametrize("fault", [SLOW_DOWN, connection_is_lost], ids=["slow down", "lost"])
async def test_one_failure_of_each_step_is_not_noticed(proxy: S3Proxy, blob_store: BlobStore, fault: Fault) -> None:
    proxy.faults = {operation: [fault] for operation in ("PutObject", "HeadObject", *STEPS_IN_PARTS)}
    await blob_store.put(KEY, pieces(*LARGE))
    await blob_store.put("a/small", pieces(b"ladder"))
    assert await blob_store.size(KEY) == len(LARGE) * MEBIBYTE
    assert await read_all(blob_store, "a/small") == b"ladder"


@pytest.mark.parametrize("name", [name for name in FAILURES if "XML" not in name and "early" not in name])
async def test_a_put_that_fails_leaves_nothing(proxy: S3Proxy, blob_store: BlobStore, name: str) -> None:
    proxy.always("PutObject", FAILURES[name])
    with pytest.raises(UnavailableError):
        await blob_store.put(KEY, pieces(b"ladder"))
    assert await keys_below(blob_store, "") == []


@pytest.mark.parametrize("operation", STEPS_IN_PARTS)
@pytest.mark.parametrize(
    "fault",
    [
        SLOW_DOWN,
        connection_is_lost,
        answered(200, "<a><b></a>"),
        answered(200, "<Error><Code>InternalError</Code></Error>"),
    ],
    ids=["slow down", "lost", "garbage", "error in a 200"],
)
async def test_a_put_in_parts_that_fails_leaves_nothing_and_no_open_upload(
    proxy: S3Proxy, blob_store: BlobStore, open_uploads: Callable[[], list[str]], operation: str, fault: Fault
) -> None:
    proxy.always(operation, fault)
    with pytest.raises(UnavailableError):
        await blob_store.put(KEY, pieces(*LARGE))
    assert await keys_below(blob_store, "") == []
    assert open_uploads() == []


async def test_an_upload_that_could_not_be_aborted_goes_with_its_folder(
    proxy: S3Proxy, blob_store: BlobStore, open_uploads: Callable[[], list[str]]
) -> None:
    proxy.always("UploadPart", SLOW_DOWN)
    proxy.always("AbortMultipartUpload", SLOW_DOWN)
    with pytest.raises(UnavailableError, match="upload_part"):
        await blob_store.put(KEY, pieces(*LARGE))
    assert open_uploads() == [KEY]
    proxy.faults.clear()
    await blob_store.delete_below("programs")
    assert open_uploads() == []


async def test_a_put_that_is_answered_byte_by_byte_is_given_up(proxy: S3Proxy, blob_store: BlobStore) -> None:
    async def dripping(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    proxy.always("CompleteMultipartUpload", dripping)
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="in time"):
        await blob_store.put(KEY, pieces(*LARGE))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("code", "status", "setting"),
    [
        ("AccessDenied", 403, "S3_BUCKET_NAME"),
        ("InvalidAccessKeyId", 403, "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", 403, "AWS_SECRET_ACCESS_KEY"),
        ("NoSuchBucket", 404, "S3_BUCKET_NAME"),
        ("ExpiredToken", 400, "AWS_SESSION_TOKEN"),
        ("AuthorizationHeaderMalformed", 400, "AWS_REGION"),
        ("KMS.NotFoundException", 400, "S3_KMS_KEY_ID"),
        ("NotImplemented", 501, "S3_ENDPOINT_URL"),
    ],
)
async def test_what_stays_is_a_misconfiguration_that_names_the_setting(
    proxy: S3Proxy, blob_store: BlobStore, code: str, status: int, setting: str
) -> None:
    proxy.always("PutObject", refused(status, code))
    with pytest.raises(MisconfiguredError, match=setting) as raised:
        await blob_store.put(KEY, pieces(b"ladder"))
    assert "\n" not in str(raised.value)
    assert not re.search(f"secret words|{SECRET}|tester|127", str(raised.value))


async def test_an_acknowledged_object_that_is_missing_is_noticed(proxy: S3Proxy, blob_store: BlobStore) -> None:
    proxy.always("PutObject", answered(200))
    with pytest.raises(UnavailableError, match="not there"):
        await blob_store.put(KEY, pieces(b"ladder"))


@pytest.mark.parametrize("other", [b"ladde", b"Ladder"], ids=["short", "other"])
async def test_an_acknowledged_object_that_is_short_or_other_is_noticed_and_taken_away(
    server: S3Server, proxy: S3Proxy, bucket: str, blob_store: BlobStore, other: bytes
) -> None:
    overwrite = overwriting(server, bucket, other)
    proxy.faults = {"PutObject": [followed_by(overwrite)], "CompleteMultipartUpload": [followed_by(overwrite)]}
    with pytest.raises(UnavailableError, match="not what it was sent"):
        await blob_store.put(KEY, pieces(b"ladder"))
    assert await keys_below(blob_store, "") == []
    with pytest.raises(UnavailableError, match="not what it was sent"):
        await blob_store.put(KEY, pieces(*LARGE))
    await blob_store.put(KEY, pieces(b"ladder"))


async def test_another_put_that_wins_at_the_last_moment_is_a_conflict(
    server: S3Server, proxy: S3Proxy, bucket: str, blob_store: BlobStore
) -> None:
    proxy.faults = {"PutObject": [followed_by(overwriting(server, bucket, b"other", sha256="ab" * 32))]}
    with pytest.raises(ConflictError):
        await blob_store.put(KEY, pieces(b"ladder"))
    assert await read_all(blob_store, KEY) == b"other"


async def test_a_put_that_collides_with_another_is_made_again(proxy: S3Proxy, blob_store: BlobStore) -> None:
    proxy.faults = {"PutObject": [refused(409, "ConditionalRequestConflict")]}
    await blob_store.put(KEY, pieces(b"ladder"))
    assert await read_all(blob_store, KEY) == b"ladder"


@pytest.mark.parametrize("size", [len(LARGE), 2 * len(LARGE)], ids=["the last part", "a part before"])
async def test_a_part_that_fails_leaves_no_request_to_cancel_behind(
    proxy: S3Proxy, blob_store: BlobStore, size: int
) -> None:
    proxy.always("UploadPart", SLOW_DOWN)
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(UnavailableError, match="upload_part"):
        await blob_store.put(KEY, pieces(*(b"x" * MEBIBYTE for _ in range(size))))
    assert task.cancelling() == 0


async def test_a_part_that_fails_ends_the_reading_of_what_comes_slowly(proxy: S3Proxy, blob_store: BlobStore) -> None:
    ended = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        try:
            for piece in LARGE:
                yield piece
            await asyncio.Event().wait()
        finally:
            ended.set()

    proxy.always("UploadPart", SLOW_DOWN)
    async with asyncio.timeout(20):
        with pytest.raises(UnavailableError, match="upload_part"):
            await blob_store.put(KEY, stalling())
    assert ended.is_set()


@pytest.mark.parametrize("operation", STEPS_IN_PARTS)
async def test_a_put_cancelled_in_any_step_leaves_nothing_open(
    proxy: S3Proxy, blob_store: BlobStore, open_uploads: Callable[[], list[str]], operation: str
) -> None:
    reached = asyncio.Event()

    async def late(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await passed_on(asked, forward, writer)

    proxy.faults = {operation: [late]}
    put = asyncio.create_task(blob_store.put(KEY, pieces(*LARGE)))
    await reached.wait()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert open_uploads() == []
    assert await keys_below(blob_store, "") == ([KEY] if operation == "CompleteMultipartUpload" else [])


async def test_memory_stays_bounded_however_large_the_content_is(server: S3Server, bucket: str) -> None:
    async def content() -> AsyncIterator[bytes]:
        for number in range(64):
            yield bytes([number]) * MEBIBYTE

    async with opened(server.options(bucket)) as store:  # the proxy would hold the parts once more
        tracemalloc.start()
        try:
            await store.put(KEY, content())
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak_bytes < 4 * PART_BYTES + 8 * MEBIBYTE


async def test_an_s3_that_is_down_does_not_keep_the_store_from_opening(
    server: S3Server, proxy: S3Proxy, bucket: str
) -> None:
    proxy.refuses = True
    options = server.options(bucket, endpoint_url=proxy.url)
    async with opened(options) as store:
        with pytest.raises(UnavailableError):
            await store.put(KEY, pieces(b"ladder"))
        with pytest.raises(UnavailableError):
            await store.size(KEY)
        proxy.refuses = False
        await store.put(KEY, pieces(b"ladder"))
        with pytest.raises(ConflictError):
            await store.put(KEY, pieces(b"other"))


@pytest.mark.parametrize("fault", [refused(501, "NotImplemented"), refused(400, "InvalidArgument")], ids=["501", "400"])
async def test_an_s3_that_refuses_the_condition_is_asked_before_each_put_instead(
    server: S3Server, proxy: S3Proxy, bucket: str, fault: Fault
) -> None:
    proxy.faults = {"Mark": [fault]}
    async with opened(server.options(bucket, endpoint_url=proxy.url)) as store:
        await store.put(KEY, pieces(b"ladder"))
        assert proxy.asked == ["HeadObject", "PutObject", "HeadObject"]
        with pytest.raises(ConflictError):
            await store.put(KEY, pieces(b"other"))
    assert not [asked for asked in proxy.seen if "if-none-match" in asked.headers]


async def test_a_mark_that_others_put_at_the_same_time_proves_the_condition(
    server: S3Server, proxy: S3Proxy, bucket: str
) -> None:
    proxy.faults = {"Mark": [refused(409, "ConditionalRequestConflict")]}
    async with opened(server.options(bucket, endpoint_url=proxy.url)) as store:
        await store.put(KEY, pieces(b"ladder"))
    assert [asked.headers["if-none-match"] for asked in proxy.seen if asked.operation == "PutObject"] == ["*"]


@pytest.fixture
def open_uploads(server: S3Server, bucket: str) -> Callable[[], list[str]]:
    return lambda: server.open_uploads(bucket)


def overwriting(server: S3Server, bucket: str, content: bytes, sha256: str = "") -> Callable[[], object]:
    metadata = {"sha256": sha256} if sha256 else {}
    return lambda: server.back_door.put_object(Bucket=bucket, Key=KEY, Body=content, Metadata=metadata)
