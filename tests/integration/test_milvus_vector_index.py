"""The vector index against a real Milvus server with BM25."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymilvus import DataType, MilvusClient

from adapters.milvus.filters import quoted
from adapters.milvus.open_collection import OpenCollection
from adapters.milvus.vector_index import MilvusVectorIndex
from contracts.lexical_lane import LexicalLaneContract
from contracts.vector_index import (
    DIMENSION,
    EVERYTHING,
    HOSTILE,
    VectorIndexContract,
    add,
    alike,
    document,
    entry,
    ids,
    vectors,
)
from domain.errors import MisconfiguredError, UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.search import SearchScope

MODEL = EmbeddingModel(name="test", dimension=DIMENSION)
KEY = IndexKey(model=MODEL, rendering_version=3)
NEWER = IndexKey(model=MODEL, rendering_version=4)


@pytest.fixture
def alias() -> str:
    return f"test_{uuid4().hex[:12]}"


@pytest.fixture
def back_door(milvus_uri: str, alias: str) -> Iterator[MilvusClient]:
    """A client of the test's own, which removes whatever the test made."""
    client = MilvusClient(milvus_uri, timeout=10, dedicated=True)
    yield client
    for name in client.list_collections():
        if name.startswith(alias):
            for given_name in client.list_aliases(name)["aliases"]:
                client.drop_alias(given_name)
            client.drop_collection(name)
    client.close()


@pytest.fixture
async def unprepared(milvus_uri: str, alias: str, back_door: MilvusClient) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(milvus_uri, alias=alias, key=KEY)
    yield index
    await index.aclose()


@pytest.fixture
async def neighbour(milvus_uri: str, alias: str, back_door: MilvusClient) -> AsyncIterator[MilvusVectorIndex]:
    index = MilvusVectorIndex(milvus_uri, alias=alias, key=NEWER)
    yield index
    await index.aclose()


@pytest.fixture
async def vector_index(unprepared: MilvusVectorIndex) -> MilvusVectorIndex:
    await unprepared.prepare()
    return unprepared


class TestMilvusVectorIndex(VectorIndexContract, LexicalLaneContract):
    pass


async def test_the_alias_is_that_of_the_index_published_last(
    vector_index: MilvusVectorIndex, neighbour: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    assert back_door.list_aliases(f"{alias}__test_8_r3")["aliases"] == []
    await vector_index.publish()
    assert back_door.list_aliases(f"{alias}__test_8_r3")["aliases"] == [alias]
    await neighbour.prepare()
    assert back_door.list_aliases(f"{alias}__test_8_r3")["aliases"] == [alias]
    await neighbour.publish()
    assert back_door.list_aliases(f"{alias}__test_8_r4")["aliases"] == [alias]
    assert back_door.list_aliases(f"{alias}__test_8_r3")["aliases"] == []


async def test_the_collections_of_another_alias_are_not_touched(
    vector_index: MilvusVectorIndex, milvus_uri: str, alias: str, back_door: MilvusClient
) -> None:
    longer = MilvusVectorIndex(milvus_uri, alias=f"{alias}_b", key=KEY)
    await longer.prepare()
    await add(longer, entry())
    await vector_index.remove_program("PGM_1")
    assert await vector_index.drop_others() == 0
    assert await longer.count() == 1
    await longer.aclose()


async def test_several_processes_may_prepare_at_once(milvus_uri: str, alias: str, back_door: MilvusClient) -> None:
    indexes = [MilvusVectorIndex(milvus_uri, alias=alias, key=KEY) for _ in range(4)]
    await asyncio.gather(*(index.prepare() for index in indexes))
    await add(indexes[0], entry())
    assert ids(await indexes[3].lexical(["모터"], EVERYTHING, limit=5)) == ["D1.g1.0"]
    for index in indexes:
        await index.aclose()


async def test_what_a_dead_process_left_half_made_is_completed(
    unprepared: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    await unprepared.prepare()
    name = f"{alias}__test_8_r3"
    back_door.release_collection(name)
    back_door.drop_index(name, "lexical")
    await unprepared.prepare()
    await add(unprepared, entry())
    assert ids(await unprepared.lexical(["모터"], EVERYTHING, limit=5)) == ["D1.g1.0"]


async def test_a_collection_of_another_shape_is_a_misconfiguration_that_names_it(
    unprepared: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    schema = MilvusClient.create_schema()
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=4)
    back_door.create_collection(f"{alias}__test_8_r3", schema=schema)
    with pytest.raises(MisconfiguredError, match=f"{alias}__test_8_r3"):
        await unprepared.prepare()


async def test_an_alias_that_is_a_collection_already_is_a_misconfiguration(
    unprepared: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    back_door.create_collection(alias, dimension=4)
    for call in (unprepared.prepare(), unprepared.publish()):
        with pytest.raises(MisconfiguredError, match="MILVUS_COLLECTION_NAME"):
            await call


async def test_a_released_collection_is_loaded_by_whoever_needs_it(
    vector_index: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    await add(vector_index, entry())
    name = f"{alias}__test_8_r3"
    back_door.release_collection(name)
    assert ids(await vector_index.dense(vectors([1]), EVERYTHING, limit=5)) == ["D1.g1.0"]
    back_door.release_collection(name)
    assert await vector_index.chunk_ids([document()]) == {"D1.g1.0"}
    back_door.release_collection(name)
    await vector_index.ping()
    back_door.release_collection(name)
    await vector_index.remove_documents([document()])
    assert await vector_index.chunk_ids([document()]) == frozenset()


async def test_a_missing_collection_is_unavailable_not_empty(
    unprepared: MilvusVectorIndex, alias: str, back_door: MilvusClient
) -> None:
    for call in (
        unprepared.ping(),
        add(unprepared, entry()),
        unprepared.dense(vectors([1]), EVERYTHING, limit=1),
        unprepared.lexical(["m0"], EVERYTHING, limit=1),
        unprepared.chunk_ids([document()]),
        unprepared.remove_program("PGM_1"),
    ):
        with pytest.raises(UnavailableError):
            await call
    await unprepared.prepare()
    await unprepared.ping()


async def test_ids_are_read_past_the_limit_of_a_page(vector_index: MilvusVectorIndex) -> None:
    entries = [entry(ordinal) for ordinal in range(16_500)]
    await vector_index.upsert(entries, alike(len(entries)))
    assert len(await vector_index.chunk_ids([document()])) == 16_500


async def test_calls_at_once_share_a_connection(vector_index: MilvusVectorIndex) -> None:
    await add(vector_index, *(entry(number, f"m{number}") for number in range(20)))
    found = await asyncio.gather(*(vector_index.lexical([f"m{number}"], EVERYTHING, limit=5) for number in range(20)))
    assert [ids(hits) for hits in found] == [[f"D1.g1.{number}"] for number in range(20)]


async def test_a_closed_index_opens_again_when_it_is_needed(vector_index: MilvusVectorIndex) -> None:
    await vector_index.aclose()
    await vector_index.aclose()
    await vector_index.ping()


async def test_the_scope_of_every_hit_is_checked_here_too(vector_index: MilvusVectorIndex) -> None:
    await add(vector_index, entry(0, pgm_id="PGM_1"), entry(1, pgm_id="PGM_2"))
    await vector_index._call(_ignore_filters)
    found = await vector_index.dense(vectors([1]), SearchScope(pgm_id="PGM_2"), limit=5)
    assert ids(found) == ["D1.g1.1"]


async def _ignore_filters(collection: OpenCollection) -> None:
    """Make the client behave like a server which does not understand a filter."""
    search = collection.session.client.search

    async def unfiltered(*args: object, **kwargs: object) -> object:
        return await search(*args, **{**kwargs, "filter": ""})

    collection.session.client.search = unfiltered


@pytest.fixture
def literals(milvus_uri: str, alias: str, back_door: MilvusClient) -> str:
    """A collection with two rows, to read literals with."""
    back_door.create_collection(f"{alias}_literals", dimension=2, id_type="string", max_length=256)
    back_door.upsert(f"{alias}_literals", [{"id": "a", "vector": [1, 0]}, {"id": "b", "vector": [1, 0]}])
    return f"{alias}_literals"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.sampled_from(HOSTILE) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_the_server_reads_a_quoted_value_as_a_value(back_door: MilvusClient, literals: str, value: str) -> None:
    value = f"#{value}"  # neither of the ids that are there
    assert back_door.query(literals, filter=f"id == {quoted(value)}", consistency_level="Strong") == []
    others = back_door.query(literals, filter=f"id != {quoted(value)} and id != {quoted('a')}")
    assert [row["id"] for row in others] == ["b"]
