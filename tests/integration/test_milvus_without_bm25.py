"""The vector index against a real Milvus 2.3.5, which has no lexical lane."""

import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from pymilvus import MilvusClient

from adapters.milvus.vector_index import MilvusVectorIndex
from contracts.lexical_lane import NoLexicalLaneContract
from contracts.vector_index import DIMENSION, VectorIndexContract
from domain.errors import MisconfiguredError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.search import SearchScope
from fakes.embedder import HashingEmbedder

MODEL = EmbeddingModel(name="test", dimension=DIMENSION)
KEY = IndexKey(model=MODEL, rendering_version=3)
NEWER = IndexKey(model=MODEL, rendering_version=4)


ALIAS = f"test_{uuid4().hex[:12]}"
OWN = f"{ALIAS}__test_8_r3_dense"
MANY_ROWS = 250


@pytest.fixture
def back_door(milvus_235_uri: str) -> Iterator[MilvusClient]:
    """A client of the test's own, which removes whatever the test made.

    All but the collection itself: this server takes 3 s to make one and to drop it again. But it goes where it held
    many rows: deleted or not, the server then looks into a part of them alone, and misses of the few what is elsewhere.
    """
    client = MilvusClient(milvus_235_uri, timeout=30, dedicated=True)
    yield client
    for name in client.list_collections():
        for given_name in client.list_aliases(name)["aliases"]:
            client.drop_alias(given_name)
        if name != OWN or _rows(client) > MANY_ROWS:
            client.drop_collection(name)
    if client.has_collection(OWN):
        client.delete(OWN, filter='chunk_id != ""')
        _rows(client)
        _until_searches_find_nothing(client)
    client.close()


def _rows(client: MilvusClient) -> int:
    (row,) = client.query(OWN, output_fields=["count(*)"], consistency_level="Strong")
    return int(row["count(*)"])


def _until_searches_find_nothing(client: MilvusClient) -> None:
    """A search, which need not be quite up to date, must not meet what the test before has left."""
    anything = [1.0] + [0.0] * (DIMENSION - 1)
    give_up_at = time.monotonic() + 20
    while client.search(OWN, [anything], anns_field="dense", limit=1, consistency_level="Bounded")[0]:
        assert time.monotonic() < give_up_at, "what was deleted is still found"
        time.sleep(0.1)


@pytest.fixture
async def vector_index(milvus_235_uri: str, back_door: MilvusClient) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(milvus_235_uri, alias=ALIAS, key=KEY, timeout_s=30)
    await index.prepare()
    yield index
    await index.aclose()


@pytest.fixture
async def neighbour(milvus_235_uri: str, back_door: MilvusClient) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(milvus_235_uri, alias=ALIAS, key=NEWER, timeout_s=30)
    yield index
    await index.aclose()


class TestMilvusVectorIndexWithoutBm25(VectorIndexContract, NoLexicalLaneContract):
    pass


async def test_it_is_said_in_a_line_what_is_off_and_what_would_turn_it_on(vector_index: MilvusVectorIndex) -> None:
    assert await vector_index.ping() == "the lexical lane is off: Milvus 2.3.5-lite has no BM25, 2.5 has"


async def test_a_database_that_is_missing_is_no_collection_that_a_worker_will_build(milvus_235_uri: str) -> None:
    index = MilvusVectorIndex(milvus_235_uri, database="nobodys", alias=ALIAS, key=KEY, timeout_s=30)
    vector = await HashingEmbedder(dimension=DIMENSION).embed(["anything"])
    for call in (
        index.ping,
        index.count,
        index.prepare,
        lambda: index.dense(vector, SearchScope(), limit=1),
        lambda: index.remove_program("PGM_1"),
    ):
        with pytest.raises(MisconfiguredError, match="there is no database of that name: see MILVUS_DATABASE"):
            await call()
    await index.aclose()
