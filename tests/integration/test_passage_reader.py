"""Further documents through real limited children: what costs too much is refused, and the next one is read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.plc_files.chunk_reader import LimitedChunkReader
from adapters.plc_files.limited_child import ProcessLimits
from adapters.plc_files.passage_reader import LimitedPassageReader
from builders.further import MARKDOWN
from builders.pdfs import a_pdf
from builders.readers import LimitedReaders, limited_readers
from contracts.file_readers import PassageReaderContract
from domain.upload import MEBIBYTE, SpooledFile, UploadLimits


@pytest.fixture
async def readers() -> AsyncIterator[LimitedReaders]:
    async with limited_readers(UploadLimits(), ProcessLimits(cpu_s=1, memory_bytes=160 * MEBIBYTE)) as readers:
        yield readers


@pytest.fixture
def passages(readers: LimitedReaders) -> LimitedPassageReader:
    return readers.passages


@pytest.fixture
def chunks(readers: LimitedReaders) -> LimitedChunkReader:
    return readers.chunks


class TestLimitedPassageReader(PassageReaderContract):
    pass


def spooled(folder: Path, name: str, content: bytes) -> SpooledFile:
    path = folder / name
    path.write_bytes(content)
    return SpooledFile(name=name, path=path, size_bytes=len(content))


async def test_a_document_that_costs_too_much_is_refused_and_the_next_one_is_read(
    passages: LimitedPassageReader, tmp_path: Path
) -> None:
    dear = await passages.check(spooled(tmp_path, "dear.pdf", a_pdf(*["text " * 4_000] * 200)))
    assert dear
    assert dear.code in {"resource_limit", "document_too_long"}
    assert await passages.check(spooled(tmp_path, "a.md", MARKDOWN)) is None
