"""Reading, listing and deleting on an S3 that fails: what is cut, slow, endless or untrue on the way."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.blobs.s3 import opened
from builders.s3_proxy import FAILURES, Fault, S3Proxy, answered, cut_after, dripping, refused, s3_proxy
from builders.s3_servers import S3Server, nanio
from contracts.blob_store import KEY, MEBIBYTE, keys_below, pieces, read_all
from domain.errors import MisconfiguredError, NotFoundError, UnavailableError
from domain.ports.blob_store import BlobStore

# A put that is given up leaves bytes in a socket that its server need not take before the test's event loop is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*_SelectorTransport.__del__:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket.socket fd=:pytest.PytestUnraisableExceptionWarning"),
]

LARGE = [bytes([number]) * MEBIBYTE for number in range(17)]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with nanio() as server:
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
    options = server.options(bucket, endpoint_url=proxy.url, timeout_s=1, connect_timeout_s=1)
    async with opened(options) as store:
        await store.put(KEY, pieces(b"ladder"))
        proxy.asked.clear()
        yield store


async def ask(blob_store: BlobStore, operation: str) -> object:
    if operation == "HeadObject":
        return await blob_store.size(KEY)
    if operation == "GetObject":
        return await read_all(blob_store, KEY)
    if operation == "ListObjectsV2":
        return await keys_below(blob_store, "")
    return await blob_store.delete_below("programs")


ANSWERS = {"HeadObject": 6, "GetObject": b"ladder", "ListObjectsV2": [KEY], "DeleteObjects": 1}


@pytest.mark.parametrize("operation", ANSWERS)
async def test_one_failure_is_not_noticed(proxy: S3Proxy, blob_store: BlobStore, operation: str) -> None:
    for name in ("slow down", "internal error", "a lost connection"):
        proxy.faults = {operation: [FAILURES[name]]}
        assert await ask(blob_store, operation) == ANSWERS[operation]
        await blob_store.put(KEY, pieces(b"ladder"))


IN_XML = ("garbage instead of XML", "a body that ends early")  # to other operations a body is no XML


@pytest.mark.parametrize(
    ("operation", "name"),
    [(to, name) for to in ANSWERS for name in FAILURES if name not in IN_XML or to.endswith(("V2", "Objects"))],
)
async def test_what_passes_is_unavailable(proxy: S3Proxy, blob_store: BlobStore, operation: str, name: str) -> None:
    proxy.always(operation, FAILURES[name])
    with pytest.raises((UnavailableError, MisconfiguredError)) as raised:
        await ask(blob_store, operation)
    assert "secret words" not in str(raised.value)
    if (operation, name) == ("HeadObject", "clocks apart"):  # without a body, a 403 says no more
        assert isinstance(raised.value, MisconfiguredError)
    else:
        assert isinstance(raised.value, UnavailableError)
        assert ("clock" in str(raised.value)) is (name == "clocks apart")


@pytest.mark.parametrize("size_bytes", [0, 1, MEBIBYTE])
async def test_a_body_that_is_cut_is_unavailable(proxy: S3Proxy, blob_store: BlobStore, size_bytes: int) -> None:
    await blob_store.put("a/large", pieces(*LARGE[:3]))
    proxy.always("GetObject", cut_after(size_bytes))
    received = bytearray()
    with pytest.raises(UnavailableError):
        await receive(blob_store, "a/large", received)
    assert b"".join(LARGE).startswith(received)


async def test_a_body_that_drips_is_given_up(proxy: S3Proxy, blob_store: BlobStore) -> None:
    await blob_store.put("a/b", pieces(b"x" * 10_000))
    proxy.faults = {"GetObject": [dripping(0.05)]}
    with pytest.raises(UnavailableError, match="in time"):
        await read_all(blob_store, "a/b")


@pytest.mark.parametrize("said", ["", "bytes 0-5/6", "bytes 1-5/6", "bytes 2-3/6", "bytes */6"])
async def test_another_range_than_was_asked_for_is_not_taken_for_it(
    proxy: S3Proxy, blob_store: BlobStore, said: str
) -> None:
    proxy.always("GetObject", answered(206 if said else 200, "dd", **({"content-range": said} if said else {})))
    with pytest.raises(UnavailableError, match="something else"):
        await read_all(blob_store, KEY, start=1, stop=3)


async def test_who_takes_the_pieces_may_take_its_time(blob_store: BlobStore) -> None:
    await blob_store.put("a/large", pieces(*LARGE))
    received = bytearray()
    async for piece in blob_store.read("a/large"):
        if not received:
            await asyncio.sleep(1.5)  # more than S3 itself may be silent for
        received += piece
    assert received == b"".join(LARGE)


async def test_a_reader_that_stops_early_lets_its_connection_go(server: S3Server, bucket: str) -> None:
    async with opened(server.options(bucket, max_connections=1)) as store:
        await store.put(KEY, pieces(*LARGE))
        for _ in range(3):
            reading = store.read(KEY)
            await anext(reading)
            await reading.aclose()  # type: ignore[attr-defined]  # every adapter's reader is a generator
            assert await store.size(KEY) == len(LARGE) * MEBIBYTE


@pytest.mark.parametrize("token", ["", "<NextContinuationToken>t</NextContinuationToken>"], ids=["none", "the same"])
async def test_a_listing_without_an_end_is_unavailable(proxy: S3Proxy, blob_store: BlobStore, token: str) -> None:
    page = f"<ListBucketResult><IsTruncated>true</IsTruncated>{token}</ListBucketResult>"
    proxy.always("ListObjectsV2", answered(200, page))
    with pytest.raises(UnavailableError, match="no end"):
        await keys_below(blob_store, "")


async def test_a_deletion_that_only_says_so_is_unavailable(proxy: S3Proxy, blob_store: BlobStore) -> None:
    proxy.always("DeleteObjects", answered(200, "<DeleteResult></DeleteResult>"))
    with pytest.raises(UnavailableError, match="still lists"):
        await blob_store.delete_below("programs")


@pytest.mark.parametrize(
    ("code", "expected"), [("InternalError", UnavailableError), ("AccessDenied", MisconfiguredError)]
)
async def test_an_error_of_one_key_in_a_200_is_noticed(
    proxy: S3Proxy, blob_store: BlobStore, code: str, expected: type[Exception]
) -> None:
    answer = f"<DeleteResult><Error><Key>a</Key><Code>{code}</Code></Error></DeleteResult>"
    proxy.always("DeleteObjects", answered(200, answer))
    with pytest.raises(expected, match=code if code == "InternalError" else "S3_BUCKET_NAME"):
        await blob_store.delete_below("programs")


async def test_a_deletion_is_sent_with_the_md5_that_others_than_aws_demand(
    proxy: S3Proxy, blob_store: BlobStore
) -> None:
    await blob_store.delete_below("programs")
    (deletion,) = [asked for asked in proxy.seen if asked.operation == "DeleteObjects"]
    assert "content-md5" in deletion.headers
    assert "content-md5" in deletion.headers["authorization"]


@pytest.mark.parametrize("fault", [refused(403, "AccessDenied"), refused(501, "NotImplemented")], ids=["no right", "?"])
async def test_a_deletion_needs_no_right_to_list_uploads(proxy: S3Proxy, blob_store: BlobStore, fault: Fault) -> None:
    proxy.always("ListMultipartUploads", fault)
    assert await blob_store.delete_below("programs") == 1


async def test_an_object_deleted_behind_our_back_is_not_found(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    server.back_door.delete_object(Bucket=bucket, Key=KEY)
    with pytest.raises(NotFoundError):
        await read_all(blob_store, KEY)


async def receive(blob_store: BlobStore, key: str, received: bytearray) -> None:
    async for piece in blob_store.read(key):
        received += piece
