"""The fakes of the file readers keep the contract."""

import pytest

from contracts.dispatcher import DispatcherContract
from contracts.file_readers import ArchiveReaderContract, ChunkReaderContract, PassageReaderContract
from fakes.dispatcher import InMemoryDispatcher
from fakes.readers import InProcessArchiveReader, InProcessChunkReader, InProcessPassageReader


class TestInProcessChunkReader(ChunkReaderContract):
    @pytest.fixture
    def chunks(self) -> InProcessChunkReader:
        return InProcessChunkReader()


class TestInProcessPassageReader(PassageReaderContract):
    @pytest.fixture
    def passages(self) -> InProcessPassageReader:
        return InProcessPassageReader()

    @pytest.fixture
    def chunks(self) -> InProcessChunkReader:
        return InProcessChunkReader()


class TestInProcessArchiveReader(ArchiveReaderContract):
    @pytest.fixture
    def archives(self) -> InProcessArchiveReader:
        return InProcessArchiveReader()


class TestInMemoryDispatcher(DispatcherContract):
    @pytest.fixture
    def dispatcher(self) -> InMemoryDispatcher:
        return InMemoryDispatcher()
