"""Stored documents through real limited children: bytes checked, chunks cut, only the guilty one failed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.plc_files.archive_members import LimitedArchiveReader
from adapters.plc_files.chunk_reader import LimitedChunkReader
from adapters.plc_files.limited_child import ProcessLimits
from builders.archives import Entry, a_zip
from builders.ladders import a_ladder
from builders.readers import LimitedReaders, limited_readers
from contracts.file_readers import COMMENTS, ArchiveReaderContract, ChunkReaderContract, document_of, stored
from domain.document import Failure
from domain.errors import NotFoundError, UnavailableError
from domain.upload import MEBIBYTE, UploadLimits

LIMITS = UploadLimits(expansion_ratio=10_000)


@pytest.fixture
async def readers() -> AsyncIterator[LimitedReaders]:
    async with limited_readers(LIMITS, ProcessLimits(cpu_s=5, memory_bytes=48 * MEBIBYTE)) as readers:
        yield readers


@pytest.fixture
def chunks(readers: LimitedReaders) -> LimitedChunkReader:
    return readers.chunks


@pytest.fixture
def archives(readers: LimitedReaders) -> LimitedArchiveReader:
    return readers.archives


class TestLimitedChunkReader(ChunkReaderContract):
    pass


class TestLimitedArchiveReader(ArchiveReaderContract):
    pass


async def test_a_document_of_its_own_object_is_read_whole(readers: LimitedReaders, tmp_path: Path) -> None:
    content = a_ladder("M100")
    source = tmp_path / "source"
    source.write_bytes(content)
    document = document_of(None, content)
    (read,) = await readers.chunks.read(source, [document], COMMENTS, scratch=tmp_path)
    assert not isinstance(read.outcome, Failure)
    source.write_bytes(content + b"x")
    (read,) = await readers.chunks.read(source, [document], COMMENTS, scratch=tmp_path)
    assert isinstance(read.outcome, Failure)
    assert (read.outcome.code, read.content_path) == ("storage_corrupt", None)


async def test_bytes_that_differ_fail_their_document_alone(readers: LimitedReaders, tmp_path: Path) -> None:
    good = a_ladder("M100")
    documents = [
        document_of("a.csv", good),
        replace(document_of("b.csv", good), sha256="0" * 64),
        document_of("gone.csv", good),
        document_of("d.csv", good),
    ]
    source = stored(tmp_path, {"a.csv": good, "b.csv": good, "d.csv": good})
    read = await readers.chunks.read(source, documents, COMMENTS, scratch=tmp_path)
    assert [one.outcome.code if isinstance(one.outcome, Failure) else "read" for one in read] == [
        *("read", "storage_corrupt", "storage_corrupt", "read")
    ]


async def test_a_document_that_is_no_ladder_fails_with_the_parsers_code(
    readers: LimitedReaders, tmp_path: Path
) -> None:
    content = b"Device Name,Comment\nM1,x\n"
    source = stored(tmp_path, {"a.csv": content})
    (read,) = await readers.chunks.read(source, [document_of("a.csv", content)], COMMENTS, scratch=tmp_path)
    assert isinstance(read.outcome, Failure)
    assert read.outcome.code == "not_a_ladder"
    assert read.content_path


async def test_a_document_beyond_the_limits_fails_and_its_neighbours_are_read(
    readers: LimitedReaders, tmp_path: Path
) -> None:
    hog = b"\n".join([a_ladder().decode("utf-16").encode(), *[b"," * 6] * 190_000])
    files = {"a.csv": a_ladder(), "hog.csv": hog, "c.csv": a_ladder()}
    documents = [document_of(name, content) for name, content in files.items()]
    read = await readers.chunks.read(stored(tmp_path, files), documents, COMMENTS, scratch=tmp_path)
    assert [one.outcome.code if isinstance(one.outcome, Failure) else "read" for one in read] == [
        *("read", "resource_limit", "read")
    ]


async def test_a_source_that_is_gone_is_no_fault_of_the_documents(readers: LimitedReaders, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        await readers.chunks.read(tmp_path / "no", [document_of("a", b"")], COMMENTS, scratch=tmp_path)


async def test_one_member_is_taken_out_of_an_archive(readers: LimitedReaders, tmp_path: Path) -> None:
    source = stored(tmp_path, {"한글/a.csv": b"content" * 9})
    await readers.archives.extract(source, "한글/a.csv", to=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"content" * 9
    with pytest.raises(NotFoundError):
        await readers.archives.extract(source, "b.csv", to=tmp_path / "other")
    assert not (tmp_path / "other").exists()


async def test_a_member_in_a_cp949_archive_is_asked_for_as_it_is_stored(
    readers: LimitedReaders, tmp_path: Path
) -> None:
    raw_name = "복사본.csv".encode("cp949")
    source = tmp_path / "source"
    source.write_bytes(a_zip(Entry(name=raw_name, content=b"x")))
    await readers.archives.extract(source, raw_name.decode("cp437"), to=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"x"


async def test_a_damaged_member_is_not_handed_out_as_if_it_were_whole(readers: LimitedReaders, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(a_zip(Entry(name=b"a.csv", content=b"x", local={"crc": 1}, central={"crc": 1})))
    with pytest.raises(UnavailableError):
        await readers.archives.extract(source, "a.csv", to=tmp_path / "out")
