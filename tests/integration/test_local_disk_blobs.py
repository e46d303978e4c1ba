"""The blob store on a real disk: the contract, and what a crash, a full disk and a rival process leave behind."""

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from adapters.blobs import disk_files
from adapters.blobs.local_disk import MARKER, LocalDiskBlobStore, opened
from adapters.blobs.options import StorageOptions
from contracts.blob_store import KEY, MEBIBYTE, BlobStoreContract, BlobStoreMachine, keys_below, pieces, read_all
from domain.errors import ConflictError, MisconfiguredError, NotFoundError, UnavailableError
from domain.ports.blob_store import BlobStore


@pytest.fixture
def blob_store(tmp_path: Path) -> LocalDiskBlobStore:
    return LocalDiskBlobStore(tmp_path)


class TestLocalDiskBlobStore(BlobStoreContract):
    @pytest.fixture
    def blob_store(self, tmp_path: Path) -> BlobStore:
        return LocalDiskBlobStore(tmp_path)


class LocalDiskMachine(BlobStoreMachine):
    def make_store(self) -> BlobStore:
        self._folder = tempfile.TemporaryDirectory()
        return LocalDiskBlobStore(Path(self._folder.name))

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "_folder"):
            self._folder.cleanup()


TestLocalDiskAgainstADict = LocalDiskMachine.TestCase
TestLocalDiskAgainstADict.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


async def test_a_blob_below_another_blob_conflicts(blob_store: LocalDiskBlobStore) -> None:
    await blob_store.put("a", pieces(b"x"))
    with pytest.raises(ConflictError):
        await blob_store.put("a/b/c", pieces(b"x"))
    await blob_store.put("d/e", pieces(b"x"))
    with pytest.raises(ConflictError):
        await blob_store.put("d", pieces(b"x"))
    with pytest.raises(NotFoundError):
        await blob_store.size("a/b")


async def test_no_put_leaves_a_temporary_file(blob_store: LocalDiskBlobStore, tmp_path: Path) -> None:
    await blob_store.put(KEY, pieces(b"ladder"))
    await blob_store.put(KEY, pieces(b"ladder"))
    with pytest.raises(ConflictError):
        await blob_store.put(KEY, pieces(b"other"))
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_put_cancelled_at_any_moment_leaves_a_whole_blob_or_none(
    blob_store: LocalDiskBlobStore, tmp_path: Path
) -> None:
    content = b"x" * (3 * MEBIBYTE)
    for number in range(40):
        put = asyncio.create_task(blob_store.put(f"a/{number}", pieces(content)))
        await asyncio.sleep(number * 0.0005)
        put.cancel()
        await asyncio.wait({put})
    assert list((tmp_path / "incoming").iterdir()) == []
    sizes = {entry.size_bytes async for entry in blob_store.list_below("")}
    assert sizes <= {len(content)}


async def test_a_put_survives_a_removal_of_its_folder_at_the_same_time(blob_store: LocalDiskBlobStore) -> None:
    async def remove() -> None:
        for _ in range(60):
            await blob_store.delete_below("a")

    async def put() -> None:
        for number in range(60):
            await blob_store.put(f"a/b/{number}", pieces(b"x"))

    await asyncio.gather(remove(), put(), put())


async def test_a_removal_takes_the_folders_with_it(blob_store: LocalDiskBlobStore, tmp_path: Path) -> None:
    await blob_store.put("programs/PGM_1/r1/zip/a", pieces(b"x"))
    await blob_store.delete_below("programs/PGM_1")
    assert list((tmp_path / "objects").iterdir()) == []


async def test_a_removal_keeps_a_parent_that_holds_more(blob_store: LocalDiskBlobStore) -> None:
    await blob_store.put("programs/PGM_1/a", pieces(b"x"))
    await blob_store.put("programs/PGM_2/a", pieces(b"x"))
    await blob_store.delete_below("programs/PGM_1")
    assert await keys_below(blob_store, "") == ["programs/PGM_2/a"]


async def test_a_listing_of_many_is_complete_and_in_order(blob_store: LocalDiskBlobStore, tmp_path: Path) -> None:
    folder = tmp_path / "objects" / "a"
    folder.mkdir(parents=True)
    for number in range(1201):
        (folder / f"{number:05d}").write_bytes(b"")
    assert await keys_below(blob_store, "a") == [f"a/{number:05d}" for number in range(1201)]


async def test_a_listing_goes_on_when_blobs_vanish_under_it(blob_store: LocalDiskBlobStore) -> None:
    for key in ("a/1", "b/1", "c/1"):
        await blob_store.put(key, pieces(b"x"))
    seen = []
    async for entry in blob_store.list_below(""):
        seen.append(entry.key)
        await blob_store.delete_below("b")
    assert seen[0] == "a/1"
    assert seen[-1] == "c/1"


async def test_a_killed_process_leaves_nothing_that_is_listed_and_the_sweep_removes_it(
    blob_store: LocalDiskBlobStore, tmp_path: Path
) -> None:
    program = f"""
import asyncio, os, signal
from pathlib import Path
from adapters.blobs.local_disk import LocalDiskBlobStore
async def content():
    yield b"x" * {2 * MEBIBYTE}
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(LocalDiskBlobStore(Path({str(tmp_path)!r})).put("a/b", content()))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(disk_files.__file__).parents[2])}
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], env=environment, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert await keys_below(blob_store, "") == []
    assert await blob_store.sweep_temporary(older_than=timedelta(hours=1)) == 0
    assert await blob_store.sweep_temporary(older_than=timedelta(0)) == 1
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_two_processes_never_overwrite_each_other(blob_store: LocalDiskBlobStore, tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from adapters.blobs.local_disk import LocalDiskBlobStore
from domain.errors import ConflictError
async def content():
    yield sys.argv[2].encode() * 1000
async def main():
    store = LocalDiskBlobStore(Path(sys.argv[1]))
    for number in range(100):
        try:
            await store.put(f"a/{number}", content())
            print(number)
        except ConflictError:
            pass
asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": str(Path(disk_files.__file__).parents[2])}
    rivals = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), name, env=environment, stdout=asyncio.subprocess.PIPE
        )
        for name in ("1", "2")
    ]
    won = [set((await rival.communicate())[0].split()) for rival in rivals]
    assert len(won[0]) + len(won[1]) == 100
    assert won[0].isdisjoint(won[1])
    for number in range(100):
        winner = b"1" if str(number).encode() in won[0] else b"2"
        assert await read_all(blob_store, f"a/{number}") == winner * 1000


@contextmanager
def smallest_files() -> Iterator[None]:
    """Files of at most 4 KiB: the disk is full after that, for this process, the report of its tests included."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


async def test_a_file_that_cannot_grow_is_unavailable_and_leaves_nothing(
    blob_store: LocalDiskBlobStore, tmp_path: Path
) -> None:
    with smallest_files(), pytest.raises(UnavailableError):
        await blob_store.put(KEY, pieces(b"x" * 10_000))
    assert await keys_below(blob_store, "") == []
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES])
async def test_what_the_disk_refuses_is_unavailable(
    blob_store: LocalDiskBlobStore, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blob_store.prepare()

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    # No disk here can be made to fail on request without root: the system call itself is replaced.
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(UnavailableError, match=os.strerror(number)):
        await blob_store.put(KEY, pieces(b"x"))
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_a_folder_that_cannot_be_read_is_not_said_to_be_removed(
    blob_store: LocalDiskBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blob_store.put("a/secret/b", pieces(b"x"))
    scan = os.scandir

    def refuse(folder: str) -> object:
        if os.fspath(folder).endswith("secret"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read every folder
    with pytest.raises(UnavailableError):
        await blob_store.delete_below("a")


async def test_a_folder_that_is_gone_is_an_outage_and_neither_empty_nor_made_anew(tmp_path: Path) -> None:
    """As when its volume is not mounted any more: what stood there is not missing, and a purge is not done."""
    store = LocalDiskBlobStore(tmp_path / "root")
    await store.prepare()
    await store.put(KEY, pieces(b"ladder"))
    (tmp_path / "root").rename(tmp_path / "elsewhere")
    for call in (store.size(KEY), read_all(store, KEY), store.delete_below("a"), store.put("b", pieces(b"x"))):
        with pytest.raises(UnavailableError):
            await call
    with pytest.raises(UnavailableError):
        _ = [entry async for entry in store.list_below("")]
    assert not (tmp_path / "root").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "root")
    assert await read_all(store, KEY) == b"ladder"


async def test_an_empty_store_in_the_place_of_the_store_is_an_outage(tmp_path: Path) -> None:
    """As when the volume goes, and beneath it stands what probes left there before its first mount."""
    store = LocalDiskBlobStore(tmp_path / "root")
    await store.put(KEY, pieces(b"ladder"))
    (tmp_path / "root").rename(tmp_path / "elsewhere")
    (tmp_path / "root" / "objects" / "readiness").mkdir(parents=True)
    await all_calls_fail(store)
    assert not (tmp_path / "root" / "objects" / "b").exists()


async def in_use() -> bool:
    return True


async def all_calls_fail(store: LocalDiskBlobStore) -> None:
    calls = (store.size(KEY), read_all(store, KEY), store.delete_below("a"), store.put("b", pieces(b"x")))
    for call in (*calls, keys_below(store, "")):
        with pytest.raises(UnavailableError):
            await call


async def test_an_empty_folder_is_no_store_where_programs_have_files(tmp_path: Path) -> None:
    """As when the volume was not mounted at the start already. It is the store as soon as it is."""
    volume = LocalDiskBlobStore(tmp_path / "volume")
    await volume.put(KEY, pieces(b"ladder"))
    mount_point = tmp_path / "root"
    mount_point.mkdir()
    async with opened(StorageOptions(local_root=str(mount_point), is_in_use=in_use)) as store:
        assert isinstance(store, LocalDiskBlobStore)
        await all_calls_fail(store)
        assert list(mount_point.iterdir()) == []
        mount_point.rmdir()
        (tmp_path / "volume").rename(mount_point)
        assert await read_all(store, KEY) == b"ladder"


async def test_what_probes_left_in_an_empty_folder_makes_no_store_of_it(tmp_path: Path) -> None:
    (tmp_path / "objects" / "readiness").mkdir(parents=True)
    (tmp_path / "objects" / "readiness" / "probe").write_bytes(b"can a file be stored?")
    await all_calls_fail(LocalDiskBlobStore(tmp_path, is_in_use=in_use))


async def test_nothing_is_made_while_nobody_can_tell_whether_there_should_be_something(tmp_path: Path) -> None:
    is_down = True

    async def ask() -> bool:
        if is_down:
            raise UnavailableError("postgres", "no connection")
        return False

    async with opened(StorageOptions(local_root=str(tmp_path / "root"), is_in_use=ask)) as store:
        assert isinstance(store, LocalDiskBlobStore)
        await all_calls_fail(store)
        is_down = False
        await store.put(KEY, pieces(b"ladder"))
        assert await read_all(store, KEY) == b"ladder"


async def test_a_store_of_the_release_before_is_known_by_its_programs_and_marked(tmp_path: Path) -> None:
    before = LocalDiskBlobStore(tmp_path)
    await before.put("programs/PGM_1/r1/zip/ladder.zip", pieces(b"ladder"))
    (tmp_path / MARKER).unlink()
    store = LocalDiskBlobStore(tmp_path, is_in_use=in_use)
    assert await read_all(store, "programs/PGM_1/r1/zip/ladder.zip") == b"ladder"
    assert (tmp_path / MARKER).exists()


async def test_a_store_whose_blobs_are_lost_is_taken_as_it_is_once_somebody_marks_it(tmp_path: Path) -> None:
    store = LocalDiskBlobStore(tmp_path, is_in_use=in_use)
    with pytest.raises(UnavailableError, match=MARKER):
        await store.size(KEY)
    (tmp_path / MARKER).touch()
    with pytest.raises(NotFoundError):
        await store.size(KEY)


async def test_a_folder_that_cannot_be_used_is_a_misconfiguration(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"a file")
    with pytest.raises(MisconfiguredError, match="STORAGE_LOCAL_ROOT"):
        async with opened(StorageOptions(local_root=str(tmp_path / "root"))):
            pass


async def test_errors_of_the_content_are_not_blamed_on_the_disk(blob_store: LocalDiskBlobStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        await blob_store.put(KEY, broken())


async def test_a_reader_that_stops_early_closes_its_file(blob_store: LocalDiskBlobStore) -> None:
    await blob_store.put(KEY, pieces(b"x" * (3 * MEBIBYTE)))
    before = _open_files()
    reading = blob_store.read(KEY)
    await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]  # every adapter's reader is a generator
    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
