"""The blob store on three real S3 servers: the contract on each, and what they do otherwise than each other."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.blobs import s3_listing
from adapters.blobs.s3 import S3BlobStore, opened
from adapters.blobs.s3_upload import PART_BYTES
from builders.s3_servers import S3_SERVERS, S3Server
from contracts.blob_store import KEY, MEBIBYTE, BlobStoreContract, BlobStoreMachine, keys_below, pieces, read_all
from domain.errors import ConflictError, MisconfiguredError
from domain.ports.blob_store import BlobStore

# A put that is given up leaves bytes in a socket that its server need not take before the test's event loop is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*_SelectorTransport.__del__:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket.socket fd=:pytest.PytestUnraisableExceptionWarning"),
]

MACHINE = settings(max_examples=6, stateful_step_count=15, deadline=None)
LARGE = [bytes([number]) * MEBIBYTE for number in range(2 * PART_BYTES // MEBIBYTE + 1)]


@pytest.fixture(scope="module", params=S3_SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[S3Server]:
    with S3_SERVERS[request.param]() as server:
        yield server


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


@pytest.fixture
async def blob_store(server: S3Server, bucket: str) -> AsyncIterator[BlobStore]:
    async with opened(server.options(bucket)) as store:
        yield store


class TestS3BlobStore(BlobStoreContract):
    pass


class S3Machine(BlobStoreMachine):
    def opened_on(self, server: S3Server) -> BlobStore:
        self._stack = AsyncExitStack()
        opening = opened(server.options(server.new_bucket()))
        return self._run(self._stack.enter_async_context(opening))

    def teardown(self) -> None:
        if hasattr(self, "_stack"):
            self._run(self._stack.aclose())
        super().teardown()


def test_any_sequence_of_calls_leaves_s3_and_a_dict_alike(server: S3Server) -> None:
    class Machine(S3Machine):
        def make_store(self) -> BlobStore:
            return self.opened_on(server)

    run_state_machine_as_test(Machine, settings=MACHINE)


async def test_what_is_stored_is_what_was_sent_seen_from_outside(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    small = await blob_store.put(KEY, pieces(b"lad", b"der"))
    large = await blob_store.put("a/large", pieces(*LARGE))
    for stored in (small, large):
        content = server.back_door.get_object(Bucket=bucket, Key=stored.key)["Body"].read()
        assert hashlib.sha256(content).hexdigest() == stored.sha256
        assert len(content) == stored.size_bytes


@pytest.mark.parametrize("size_bytes", [PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
async def test_content_around_the_size_of_a_part_is_kept_whole(blob_store: BlobStore, size_bytes: int) -> None:
    content = b"ladder!" * (size_bytes // 7 + 1)
    stored = await blob_store.put(KEY, pieces(content[:size_bytes]))
    assert (await blob_store.size(KEY), stored.size_bytes) == (size_bytes, size_bytes)
    assert hashlib.sha256(await read_all(blob_store, KEY)).hexdigest() == stored.sha256


async def test_repeating_a_put_in_parts_changes_nothing_and_other_parts_conflict(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    first = await blob_store.put(KEY, pieces(*LARGE))
    assert await blob_store.put(KEY, pieces(*LARGE)) == first
    with pytest.raises(ConflictError):
        await blob_store.put(KEY, pieces(*reversed(LARGE)))
    with pytest.raises(ConflictError):
        await blob_store.put(KEY, pieces(b"small"))
    assert await blob_store.size(KEY) == first.size_bytes
    assert server.open_uploads(bucket) == []


async def test_of_different_puts_in_parts_at_once_one_wins(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    outcomes = await asyncio.gather(
        blob_store.put(KEY, pieces(*LARGE)), blob_store.put(KEY, pieces(*reversed(LARGE))), return_exceptions=True
    )
    assert sorted(isinstance(outcome, ConflictError) for outcome in outcomes) == [False, True]
    assert server.open_uploads(bucket) == []


async def test_a_put_in_parts_that_is_cancelled_leaves_no_blob_and_no_open_upload(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    for number in range(12):
        put = asyncio.create_task(blob_store.put(f"a/{number}", pieces(*LARGE, *LARGE)))
        await asyncio.sleep(number * 0.01)
        put.cancel()
        await asyncio.wait({put})
    assert server.open_uploads(bucket) == []
    sizes = {entry.size_bytes async for entry in blob_store.list_below("")}
    assert sizes <= {2 * len(LARGE) * MEBIBYTE}


async def test_a_put_in_parts_whose_content_breaks_leaves_no_open_upload(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for piece in LARGE:
            yield piece
        raise EOFError("the client went away")

    with pytest.raises(EOFError):
        await blob_store.put(KEY, broken())
    assert server.open_uploads(bucket) == []
    assert await keys_below(blob_store, "") == []


async def test_a_folder_of_more_than_a_page_is_listed_and_deleted(
    server: S3Server, bucket: str, blob_store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_listing, "PAGE", 10)
    keys = [f"a/{number:02}" for number in range(23)]
    for key in [*keys, "a-b/1"]:
        server.back_door.put_object(Bucket=bucket, Key=key, Body=b"")
    assert await keys_below(blob_store, "a") == keys
    assert await blob_store.delete_below("a") == len(keys)
    assert await keys_below(blob_store, "") == ["a-b/1"]


async def test_keys_are_in_the_order_of_their_code_points(blob_store: BlobStore) -> None:
    keys = ["a/\U0001f600", "a/\uff5e", "a/가", "a/z"]  # in UTF-16 the first would come before the second
    for key in keys:
        await blob_store.put(key, pieces(b"x"))
    assert await keys_below(blob_store, "a") == sorted(keys)


async def test_a_percent_sign_in_a_key_is_one(server: S3Server, blob_store: BlobStore) -> None:
    keys = ["a/%2F..%2F", "a/%EB%9D%BC"]
    if not server.takes_percent_for_itself:  # nanio decodes twice, and then finds the signature wrong
        with pytest.raises(MisconfiguredError):
            await blob_store.put(keys[1], pieces(b"x"))
        return
    for key in keys:
        await blob_store.put(key, pieces(key.encode()))
    assert [await read_all(blob_store, key) for key in keys] == [key.encode() for key in keys]
    assert await keys_below(blob_store, "a") == keys
    assert await blob_store.delete_below("a") == len(keys)


async def test_an_upload_that_a_crash_left_open_goes_with_its_folder(
    server: S3Server, bucket: str, blob_store: BlobStore
) -> None:
    for key in ("a/라인", "a-b/1", "b/1"):
        server.back_door.create_multipart_upload(Bucket=bucket, Key=key)
    await blob_store.delete_below("a")
    assert server.open_uploads(bucket) == ["a-b/1", "b/1"]


async def test_an_object_that_is_no_blob_is_not_listed(server: S3Server, bucket: str, blob_store: BlobStore) -> None:
    if server.name != "moto":
        pytest.skip(f"{server.name} keeps objects as files, whose names cannot end in a slash")
    await blob_store.put("a/b", pieces(b"x"))
    server.back_door.put_object(Bucket=bucket, Key="empty/", Body=b"")
    assert await keys_below(blob_store, "") == ["a/b"]


async def test_who_keeps_the_first_of_two_puts_is_found_out(
    server: S3Server, bucket: str, blob_store: S3BlobStore
) -> None:
    assert await blob_store._write_once.is_kept() is server.keeps_the_first
    again = {"Bucket": bucket, "Key": "a", "Body": b"", "IfNoneMatch": "*"}
    server.back_door.put_object(**again)
    assert refused(server.back_door.put_object, **again) is server.keeps_the_first


async def test_two_processes_keep_the_first_put_where_s3_does(server: S3Server, bucket: str) -> None:
    async with opened(server.options(bucket)) as one, opened(server.options(bucket)) as other:
        for number in range(5):
            puts = (one.put(f"a/{number}", pieces(b"one")), other.put(f"a/{number}", pieces(b"other")))
            outcomes = await asyncio.gather(*puts, return_exceptions=True)
            conflicts = [isinstance(outcome, ConflictError) for outcome in outcomes]
            if server.keeps_the_first:
                assert sorted(conflicts) == [False, True]
            kept = await read_all(one, f"a/{number}")
            # Without the help of S3 both may have been told that theirs stands; whole it is all the same.
            assert kept in {content for content, lost in zip((b"one", b"other"), conflicts, strict=True) if not lost}


def test_the_other_claims_about_the_server_hold(server: S3Server, bucket: str) -> None:
    client = server.back_door
    put = {"Bucket": bucket, "Key": "L/a", "Body": b"ladder"}
    client.put_object(**put)
    assert refused(client.put_object, **put, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==") is server.checks_md5
    assert refused(client.get_object, Bucket=bucket, Key="L/a", Range="bytes=2-99") is not server.cuts_ranges
    keys = ["L/a", "L/a-b/x", "L/b.c", "L/b/c/d"]
    for key in keys[1:]:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert (
        [found["Key"] for page in pages for found in page.get("Contents", [])] == keys
    ) is server.lists_many_pages_in_full


def refused(call: Callable[..., object], **arguments: object) -> bool:
    try:
        call(**arguments)
    except ClientError:
        return True
    return False
