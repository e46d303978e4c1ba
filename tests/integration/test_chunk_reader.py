"""Stored documents through real limited children: bytes checked, chunks cut, only the guilty one failed."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.limited_readers import LimitedReaders, limited_readers
from builders.archives import Entry, a_zip, a_zip_of
from builders.documents import a_document
from builders.ladders import a_ladder
from domain.comments import DeviceComments
from domain.document import Document, Failure
from domain.errors import NotFoundError, UnavailableError
from domain.upload import MEBIBYTE, UploadLimits

LIMITS = UploadLimits(expansion_ratio=10_000)
COMMENTS = DeviceComments(by_device={"M100": "Auto start"})


@pytest.fixture
async def readers() -> AsyncIterator[LimitedReaders]:
    async with limited_readers(LIMITS, ProcessLimits(cpu_s=5, memory_bytes=48 * MEBIBYTE)) as readers:
        yield readers


def document_of(member: str | None, content: bytes, **fields: object) -> Document:
    return a_document(
        document_id=f"doc-{hashlib.sha256((member or '').encode()).hexdigest()}",
        member=member,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **fields,
    )


def stored(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "source"
    path.write_bytes(a_zip_of(files))
    return path


async def test_documents_of_one_archive_are_read_in_their_order(readers: LimitedReaders, tmp_path: Path) -> None:
    files = {"a.csv": a_ladder("M100"), "한글/b.csv": a_ladder("M1", "M2")}
    documents = [document_of(name, content, generation=3) for name, content in files.items()]
    read = await readers.chunks.read_ladders(stored(tmp_path, files), documents, COMMENTS, scratch=tmp_path)
    assert [one.document for one in read] == documents
    assert [len(one.outcome) for one in read if not isinstance(one.outcome, Failure)] == [1, 2]
    assert [one.content_path.read_bytes() for one in read if one.content_path] == list(files.values())
    assert not isinstance(read[0].outcome, Failure)
    assert read[0].outcome[0].devices[-1].comment == "Auto start"


async def test_a_document_of_its_own_object_is_read_whole(readers: LimitedReaders, tmp_path: Path) -> None:
    content = a_ladder("M100")
    source = tmp_path / "source"
    source.write_bytes(content)
    document = document_of(None, content)
    (read,) = await readers.chunks.read_ladders(source, [document], COMMENTS, scratch=tmp_path)
    assert not isinstance(read.outcome, Failure)
    source.write_bytes(content + b"x")
    (read,) = await readers.chunks.read_ladders(source, [document], COMMENTS, scratch=tmp_path)
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
    read = await readers.chunks.read_ladders(source, documents, COMMENTS, scratch=tmp_path)
    assert [one.outcome.code if isinstance(one.outcome, Failure) else "read" for one in read] == [
        *("read", "storage_corrupt", "storage_corrupt", "read")
    ]


async def test_a_document_that_is_no_ladder_fails_with_the_parsers_code(
    readers: LimitedReaders, tmp_path: Path
) -> None:
    content = b"Device Name,Comment\nM1,x\n"
    source = stored(tmp_path, {"a.csv": content})
    (read,) = await readers.chunks.read_ladders(source, [document_of("a.csv", content)], COMMENTS, scratch=tmp_path)
    assert isinstance(read.outcome, Failure)
    assert read.outcome.code == "not_a_ladder"
    assert read.content_path


async def test_a_document_beyond_the_limits_fails_and_its_neighbours_are_read(
    readers: LimitedReaders, tmp_path: Path
) -> None:
    hog = b"\n".join([a_ladder().decode("utf-16").encode(), *[b"," * 6] * 190_000])
    files = {"a.csv": a_ladder(), "hog.csv": hog, "c.csv": a_ladder()}
    documents = [document_of(name, content) for name, content in files.items()]
    read = await readers.chunks.read_ladders(stored(tmp_path, files), documents, COMMENTS, scratch=tmp_path)
    assert [one.outcome.code if isinstance(one.outcome, Failure) else "read" for one in read] == [
        *("read", "resource_limit", "read")
    ]


async def test_a_source_that_is_gone_is_no_fault_of_the_documents(readers: LimitedReaders, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        await readers.chunks.read_ladders(tmp_path / "no", [document_of("a", b"")], COMMENTS, scratch=tmp_path)


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
