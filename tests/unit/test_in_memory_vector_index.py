"""The vector index in memory keeps the promises of every vector index."""

import pytest

from contracts.lexical_lane import LexicalLaneContract, NoLexicalLaneContract
from contracts.vector_index import DIMENSION, VectorIndexContract, add, document, entry
from domain.errors import UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.vector_index import VectorIndex
from fakes.vector_index import InMemoryVectorIndex, UnavailableVectorIndex, VectorServer

NEIGHBOUR = IndexKey(model=EmbeddingModel(name="another", dimension=DIMENSION), rendering_version=1)


@pytest.fixture
def server() -> VectorServer:
    return VectorServer()


@pytest.fixture
async def vector_index(server: VectorServer) -> VectorIndex:
    index = InMemoryVectorIndex(dimension=DIMENSION, server=server)
    await index.prepare()
    return index


@pytest.fixture
def neighbour(server: VectorServer) -> VectorIndex:
    return InMemoryVectorIndex(key=NEIGHBOUR, server=server)


class TestInMemoryVectorIndex(VectorIndexContract, LexicalLaneContract):
    pass


class TestInMemoryVectorIndexWithoutBm25(NoLexicalLaneContract):
    @pytest.fixture
    def server(self) -> VectorServer:
        return VectorServer(has_bm25=False)


class TestUnavailableVectorIndex(VectorIndexContract, LexicalLaneContract):
    @pytest.fixture
    def vector_index(self, vector_index: VectorIndex) -> VectorIndex:
        return UnavailableVectorIndex(vector_index, failures=0)


@pytest.mark.parametrize(("acting", "written"), [(False, set()), (True, {"D1.g1.0"})])
async def test_a_scripted_failure_leaves_a_write_undone_or_done(
    vector_index: VectorIndex, *, acting: bool, written: set[str]
) -> None:
    failing = UnavailableVectorIndex(vector_index, failures=1, acting=acting)
    with pytest.raises(UnavailableError):
        await add(failing, entry())
    assert await failing.chunk_ids([document()]) == written
