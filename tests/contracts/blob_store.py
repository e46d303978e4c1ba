"""What every blob store promises: a suite for each of them, and a state machine against a dict."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.errors import ConflictError, NotFoundError
from domain.ports.blob_store import BlobStore

KEY = "programs/PGM_1/r1/zip/라인 3.zip"
MEBIBYTE = 1024 * 1024
NO_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "a/./b",
    "a\\b",
    "a\0b",
    "a/" + "가" * 86,
    "a/" * 600 + "a",
    "\ud800",
]

T = TypeVar("T")


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


async def read_all(store: BlobStore, key: str, *, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(key, start=start, stop=stop)])


async def keys_below(store: BlobStore, prefix: str) -> list[str]:
    return [entry.key async for entry in store.list_below(prefix)]


async def is_refused(call: Awaitable[object]) -> bool:
    try:
        await call
    except ValueError as error:
        return "blob key" in str(error)
    return False


class BlobStoreContract:
    async def test_what_was_put_is_read_back_byte_for_byte(self, blob_store: BlobStore) -> None:
        stored = await blob_store.put(KEY, pieces(b"lad", b"", b"der\x00\xff"))
        assert stored.key == KEY
        assert stored.size_bytes == 8
        assert stored.sha256 == hashlib.sha256(b"ladder\x00\xff").hexdigest()
        assert await read_all(blob_store, KEY) == b"ladder\x00\xff"
        assert await blob_store.size(KEY) == 8

    async def test_an_empty_blob_is_a_blob(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces())
        assert await blob_store.size(KEY) == 0
        assert await read_all(blob_store, KEY) == b""

    async def test_large_content_comes_in_pieces_of_at_most_a_mebibyte(self, blob_store: BlobStore) -> None:
        content = bytes(range(256)) * 4096 * 3 + b"end"
        await blob_store.put(KEY, pieces(content))
        received = [piece async for piece in blob_store.read(KEY)]
        assert b"".join(received) == content
        assert all(0 < len(piece) <= MEBIBYTE for piece in received)

    async def test_a_range_reads_like_a_slice(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"ladder"))
        ranges = [(0, 3), (3, None), (2, 4), (2, 2), (4, 2), (6, None), (5, 99)]
        read = {(start, stop): await read_all(blob_store, KEY, start=start, stop=stop) for start, stop in ranges}
        assert read == {(start, stop): b"ladder"[start:stop] for start, stop in ranges}

    async def test_a_negative_range_is_refused(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"ladder"))
        with pytest.raises(ValueError, match="negative"):
            await read_all(blob_store, KEY, start=-1)

    async def test_repeating_an_identical_put_changes_nothing(self, blob_store: BlobStore) -> None:
        first = await blob_store.put(KEY, pieces(b"ladder"))
        assert await blob_store.put(KEY, pieces(b"lad", b"der")) == first
        assert await keys_below(blob_store, "") == [KEY]

    async def test_other_content_under_a_taken_key_conflicts(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"ladder"))
        with pytest.raises(ConflictError):
            await blob_store.put(KEY, pieces(b"other!"))
        assert await read_all(blob_store, KEY) == b"ladder"

    async def test_of_different_puts_at_once_one_wins_and_the_others_conflict(self, blob_store: BlobStore) -> None:
        contents = [bytes([number]) * 1000 for number in range(8)]
        outcomes = await asyncio.gather(
            *(blob_store.put(KEY, pieces(content)) for content in contents), return_exceptions=True
        )
        winners = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
        assert len(winners) == 1
        assert all(isinstance(o, ConflictError) for place, o in enumerate(outcomes) if place not in winners)
        assert await read_all(blob_store, KEY) == contents[winners[0]]

    async def test_identical_puts_at_once_all_succeed(self, blob_store: BlobStore) -> None:
        outcomes = await asyncio.gather(*(blob_store.put(KEY, pieces(b"ladder")) for _ in range(8)))
        assert len(set(outcomes)) == 1

    async def test_a_put_whose_content_breaks_leaves_nothing(self, blob_store: BlobStore) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"x" * (MEBIBYTE + 1)
            raise EOFError("the client went away")

        with pytest.raises(EOFError):
            await blob_store.put(KEY, broken())
        with pytest.raises(NotFoundError):
            await blob_store.size(KEY)
        assert await keys_below(blob_store, "") == []

    async def test_a_cancelled_put_leaves_nothing(self, blob_store: BlobStore) -> None:
        halfway = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            yield b"x" * (MEBIBYTE + 1)
            halfway.set()
            await asyncio.Event().wait()

        put = asyncio.create_task(blob_store.put(KEY, endless()))
        await halfway.wait()
        put.cancel()
        with pytest.raises(asyncio.CancelledError):
            await put
        assert await keys_below(blob_store, "") == []

    async def test_what_is_not_there_is_not_found(self, blob_store: BlobStore) -> None:
        with pytest.raises(NotFoundError):
            await blob_store.size(KEY)
        with pytest.raises(NotFoundError):
            await anext(blob_store.read(KEY))

    async def test_a_folder_is_no_blob(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"ladder"))
        with pytest.raises(NotFoundError):
            await blob_store.size("programs/PGM_1")
        with pytest.raises(NotFoundError):
            await anext(blob_store.read("programs/PGM_1"))

    async def test_what_is_no_relative_posix_path_is_refused(self, blob_store: BlobStore) -> None:
        for key in NO_KEYS:
            assert await is_refused(blob_store.put(key, pieces(b"ladder"))), key
            assert await is_refused(blob_store.size(key)), key
            assert await is_refused(read_all(blob_store, key)), key
        assert await keys_below(blob_store, "") == []

    async def test_a_listing_is_in_key_order_with_sizes(self, blob_store: BlobStore) -> None:
        keys = ["a/b/c", "a-b/x", "a.b", "a/b.c", "a/b-c", "a0", "라인/1", "b", "é", "Z"]
        for size_bytes, key in enumerate(keys):
            await blob_store.put(key, pieces(b"x" * size_bytes))
        entries = [entry async for entry in blob_store.list_below("")]
        assert [entry.key for entry in entries] == sorted(keys)
        assert {entry.key: entry.size_bytes for entry in entries} == {key: size for size, key in enumerate(keys)}
        assert all(entry.modified.tzinfo is not None for entry in entries)

    async def test_a_key_of_any_characters_is_taken_literally(self, blob_store: BlobStore) -> None:
        keys = [
            "a/1+1 = 2?&#",
            "a/<&'\">",
            "a/é~()*!;:@$,",
            "a/라인 3+4%.csv",
            "a/\U0001f600",
        ]
        for number, key in enumerate(keys):
            await blob_store.put(key, pieces(str(number).encode()))
        assert [await read_all(blob_store, key) for key in keys] == [str(n).encode() for n in range(len(keys))]
        assert await keys_below(blob_store, "a") == sorted(keys)
        assert await blob_store.delete_below("a") == len(keys)

    async def test_a_listing_below_a_folder_does_not_show_its_neighbours(self, blob_store: BlobStore) -> None:
        for key in ("programs/PGM_1/a", "programs/PGM_10/a", "programs/PGM_1.txt"):
            await blob_store.put(key, pieces(b"x"))
        assert await keys_below(blob_store, "programs/PGM_1") == ["programs/PGM_1/a"]
        assert await keys_below(blob_store, "programs/PGM_1/") == ["programs/PGM_1/a"]
        assert await keys_below(blob_store, "nowhere") == []

    async def test_a_folder_is_deleted_with_all_below_it_and_nothing_else(self, blob_store: BlobStore) -> None:
        for key in ("programs/PGM_1/a", "programs/PGM_1/r1/zip/b", "programs/PGM_10/a"):
            await blob_store.put(key, pieces(b"x"))
        assert await blob_store.delete_below("programs/PGM_1") == 2
        assert await keys_below(blob_store, "") == ["programs/PGM_10/a"]
        assert await blob_store.delete_below("programs/PGM_1") == 0

    async def test_a_deleted_key_can_be_put_again(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"old"))
        await blob_store.delete_below("programs")
        await blob_store.put(KEY, pieces(b"new"))
        assert await read_all(blob_store, KEY) == b"new"

    async def test_a_single_blob_is_no_folder_to_delete(self, blob_store: BlobStore) -> None:
        await blob_store.put("a/b", pieces(b"x"))
        assert await blob_store.delete_below("a/b") == 0
        assert await keys_below(blob_store, "") == ["a/b"]

    async def test_a_deletion_names_a_folder_of_the_store(self, blob_store: BlobStore) -> None:
        await blob_store.put(KEY, pieces(b"ladder"))
        for prefix in ("", "/", "..", "a/../..", "/etc"):
            assert await is_refused(blob_store.delete_below(prefix)), prefix
        assert await keys_below(blob_store, "") == [KEY]


# No key lies below another one: whether both may be is where disks and object stores differ.
_KEYS = st.builds("{}/{}".format, st.sampled_from(["a", "a-", "b/c", "라인"]), st.sampled_from(["x", "y.csv", "z z"]))
_FOLDERS = st.sampled_from(["a", "a-", "b", "b/c", "라인", "none"])


class BlobStoreMachine(RuleBasedStateMachine):
    """Any sequence of calls leaves the store and a dict alike. Subclasses make the store."""

    def make_store(self) -> BlobStore:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = self.make_store()
        self.model: dict[str, bytes] = {}

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    @rule(key=_KEYS, content=st.lists(st.binary(max_size=20), max_size=3))
    def put(self, key: str, content: list[bytes]) -> None:
        whole = b"".join(content)
        if self.model.get(key, whole) != whole:
            with pytest.raises(ConflictError):
                self._run(self.store.put(key, pieces(*content)))
            return
        stored = self._run(self.store.put(key, pieces(*content)))
        self.model[key] = whole
        assert (stored.size_bytes, stored.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())

    @rule(key=_KEYS, start=st.integers(0, 40), stop=st.none() | st.integers(0, 40))
    def read(self, key: str, start: int, stop: int | None) -> None:
        read: Callable[[], Coroutine[Any, Any, bytes]] = lambda: read_all(self.store, key, start=start, stop=stop)  # noqa: E731 - two uses, one line
        if key in self.model:
            assert self._run(read()) == self.model[key][start:stop]
        else:
            with pytest.raises(NotFoundError):
                self._run(read())

    @rule(folder=_FOLDERS)
    def delete_below(self, folder: str) -> None:
        doomed = [key for key in self.model if key.startswith(f"{folder}/")]
        assert self._run(self.store.delete_below(folder)) == len(doomed)
        for key in doomed:
            del self.model[key]

    @rule(folder=_FOLDERS | st.just(""))
    def list_below(self, folder: str) -> None:
        expected = sorted(key for key in self.model if not folder or key.startswith(f"{folder}/"))
        assert self._run(keys_below(self.store, folder)) == expected

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)
