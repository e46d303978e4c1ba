"""The blob store in memory keeps the promises of every blob store, so that a green fake means something."""

import pytest
from hypothesis import settings

from contracts.blob_store import KEY, BlobStoreContract, BlobStoreMachine, pieces
from domain.errors import ConflictError, UnavailableError
from domain.ports.blob_store import BlobStore
from fakes.blob_store import InMemoryBlobStore, UnavailableBlobStore


class TestInMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def blob_store(self) -> BlobStore:
        return InMemoryBlobStore()

    async def test_a_blob_below_another_blob_conflicts_as_it_does_on_a_disk(self, blob_store: BlobStore) -> None:
        await blob_store.put("a", pieces(b"x"))
        with pytest.raises(ConflictError):
            await blob_store.put("a/b", pieces(b"x"))


class TestUnavailableBlobStore(BlobStoreContract):
    @pytest.fixture
    def blob_store(self) -> BlobStore:
        return UnavailableBlobStore(InMemoryBlobStore(), failures=0)

    async def test_it_fails_as_often_as_scripted(self) -> None:
        store = UnavailableBlobStore(InMemoryBlobStore(), failures=2)
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await store.put(KEY, pieces(b"x"))
        await store.put(KEY, pieces(b"x"))


class InMemoryMachine(BlobStoreMachine):
    def make_store(self) -> BlobStore:
        return InMemoryBlobStore()


TestInMemoryAgainstADict = InMemoryMachine.TestCase
TestInMemoryAgainstADict.settings = settings(max_examples=50, deadline=None)
