"""The blob store on MinIO in Docker, or on what TEST_S3_ENDPOINT_URL names: the contract, and no claims."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from adapters.blobs.s3 import opened
from builders.s3_servers import S3Server, minio
from contracts.blob_store import BlobStoreContract, BlobStoreMachine
from domain.ports.blob_store import BlobStore

MACHINE = settings(max_examples=6, stateful_step_count=15, deadline=None)


@pytest.fixture(scope="module")
def server(s3_url: str) -> Iterator[S3Server]:
    with minio(s3_url) as server:
        yield server


@pytest.fixture
async def blob_store(server: S3Server) -> AsyncIterator[BlobStore]:
    async with opened(server.options(server.new_bucket())) as store:
        yield store


class TestMinioBlobStore(BlobStoreContract):
    pass


class MinioMachine(BlobStoreMachine):
    def opened_on(self, server: S3Server) -> BlobStore:
        self._stack = AsyncExitStack()
        opening = opened(server.options(server.new_bucket()))
        return self._run(self._stack.enter_async_context(opening))

    def teardown(self) -> None:
        if hasattr(self, "_stack"):
            self._run(self._stack.aclose())
        super().teardown()


def test_any_sequence_of_calls_leaves_minio_and_a_dict_alike(server: S3Server) -> None:
    class Machine(MinioMachine):
        def make_store(self) -> BlobStore:
            return self.opened_on(server)

    run_state_machine_as_test(Machine, settings=MACHINE)
