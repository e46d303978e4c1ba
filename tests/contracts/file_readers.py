"""What every ChunkReader and every ArchiveReader promises."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from builders.archives import a_zip_of
from builders.documents import a_document
from builders.further import OF_EACH_KIND
from builders.ladders import a_ladder
from domain.comments import DeviceComments
from domain.document import Document, DocumentType, Failure
from domain.errors import NotFoundError
from domain.findings import Section
from domain.ports.archive_reader import ArchiveReader
from domain.ports.chunk_reader import ChunkReader
from domain.ports.passage_reader import PassageReader
from domain.upload import SpooledFile

COMMENTS = DeviceComments(by_device={"M100": "Auto start"})


def document_of(member: str | None, content: bytes, **fields: object) -> Document:
    """A document whose bytes are these."""
    return a_document(
        document_id=f"doc-{hashlib.sha256((member or '').encode()).hexdigest()}",
        member=member,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **fields,
    )


def stored(folder: Path, files: dict[str, bytes]) -> Path:
    """An archive of these files on disk."""
    path = folder / "source"
    path.write_bytes(a_zip_of(files))
    return path


class ChunkReaderContract:
    async def test_documents_of_one_archive_are_read_in_their_order(self, chunks: ChunkReader, tmp_path: Path) -> None:
        files = {"a.csv": a_ladder("M100"), "b.csv": a_ladder("M1", "M2")}
        documents = [document_of(name, content, generation=3) for name, content in files.items()]
        read = await chunks.read(stored(tmp_path, files), documents, COMMENTS, scratch=tmp_path)
        assert [one.document for one in read] == documents
        assert [len(one.outcome) for one in read if not isinstance(one.outcome, Failure)] == [1, 2]
        assert [one.content_path.read_bytes() for one in read if one.content_path] == list(files.values())
        assert not isinstance(read[0].outcome, Failure)
        assert read[0].outcome[0].devices[-1].comment == "Auto start"

    async def test_a_document_with_an_object_of_its_own_is_read_whole(
        self, chunks: ChunkReader, tmp_path: Path
    ) -> None:
        content = a_ladder("M100")
        source = tmp_path / "source"
        source.write_bytes(content)
        (read,) = await chunks.read(source, [document_of(None, content)], COMMENTS, scratch=tmp_path)
        assert not isinstance(read.outcome, Failure)

    async def test_bytes_that_differ_fail_their_document_alone(self, chunks: ChunkReader, tmp_path: Path) -> None:
        good = a_ladder("M100")
        documents = [replace(document_of("a.csv", good), sha256="0" * 64), document_of("b.csv", good)]
        source = stored(tmp_path, {"a.csv": good, "b.csv": good})
        bad, fine = await chunks.read(source, documents, COMMENTS, scratch=tmp_path)
        assert isinstance(bad.outcome, Failure)
        assert (bad.outcome.code, bad.content_path) == ("storage_corrupt", None)
        assert not isinstance(fine.outcome, Failure)


class ArchiveReaderContract:
    async def test_a_member_comes_out_byte_for_byte(self, archives: ArchiveReader, tmp_path: Path) -> None:
        content = a_ladder("M100")
        await archives.extract(stored(tmp_path, {"a.csv": content}), "a.csv", to=tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == content

    async def test_a_member_that_is_not_there_is_not_found(self, archives: ArchiveReader, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError):
            await archives.extract(stored(tmp_path, {"a.csv": b"x"}), "b.csv", to=tmp_path / "out")


class PassageReaderContract:
    @pytest.mark.parametrize("name", OF_EACH_KIND)
    async def test_a_document_of_each_kind_can_be_indexed(
        self, passages: PassageReader, chunks: ChunkReader, tmp_path: Path, name: str
    ) -> None:
        """What is taken is read again in the same way when it is indexed."""
        content = OF_EACH_KIND[name]
        file = _spooled(tmp_path, name, content)
        document = document_of(None, content, document_type=DocumentType.FURTHER, document_name=name)
        assert await passages.check(file) is None
        (read,) = await chunks.read(file.path, [document], COMMENTS, scratch=tmp_path)
        assert not isinstance(read.outcome, Failure)
        assert [chunk.ordinal for chunk in read.outcome] == list(range(len(read.outcome)))

    async def test_what_is_wrong_with_a_document_is_told(self, passages: PassageReader, tmp_path: Path) -> None:
        finding = await passages.check(_spooled(tmp_path, "스캔.pdf", b"no PDF at all"))
        assert finding
        assert (finding.section, finding.code, finding.file) == (Section.DOCUMENT, "type_mismatch", "스캔.pdf")


def _spooled(folder: Path, name: str, content: bytes) -> SpooledFile:
    path = folder / "spooled"
    path.write_bytes(content)
    return SpooledFile(name=name, path=path, size_bytes=len(content))
