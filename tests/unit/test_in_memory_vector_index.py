"""The vector index in memory keeps the promises of every vector index."""

import pytest

from contracts.vector_index import DIMENSION, VectorIndexContract, add, document, entry
from domain.errors import UnavailableError
from domain.ports.vector_index import VectorIndex
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex


@pytest.fixture
async def vector_index() -> VectorIndex:
    index = InMemoryVectorIndex(dimension=DIMENSION)
    await index.prepare()
    return index


class TestInMemoryVectorIndex(VectorIndexContract):
    pass


class TestUnavailableVectorIndex(VectorIndexContract):
    @pytest.fixture
    def vector_index(self, vector_index: VectorIndex) -> VectorIndex:
        return UnavailableVectorIndex(vector_index, failures=0)


async def test_an_index_that_nobody_prepared_is_unavailable() -> None:
    with pytest.raises(UnavailableError):
        await add(InMemoryVectorIndex(dimension=DIMENSION), entry())


@pytest.mark.parametrize(("acting", "written"), [(False, set()), (True, {"D1.g1.0"})])
async def test_a_scripted_failure_leaves_a_write_undone_or_done(
    vector_index: VectorIndex, *, acting: bool, written: set[str]
) -> None:
    failing = UnavailableVectorIndex(vector_index, failures=1, acting=acting)
    with pytest.raises(UnavailableError):
        await add(failing, entry())
    assert await failing.chunk_ids([document()]) == written
