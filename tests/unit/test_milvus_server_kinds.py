"""A server's version says which lanes it has, what its collection looks like, and whether it is too old."""

import json

import pytest
from pymilvus import DataType
from pymilvus.orm.schema import CollectionSchema

from adapters.milvus.schema import field_types, index_of, partitioning, schema_for
from adapters.milvus.server_kinds import LITE, MILVUS, ServerKind, kind_of
from domain.errors import MisconfiguredError
from domain.search import Lane

DENSE_ONLY = kind_of("v2.3.5-lite")
KINDS = pytest.mark.parametrize("kind", [MILVUS, LITE, DENSE_ONLY], ids=["milvus", "lite", "dense only"])


@pytest.mark.parametrize(
    "version", ["2.5.4", "v2.5.0", "v2.5.4-gpu", "2.6.0", "v2.6-20250613-8a0a4a1-dev", "2.10.0", "3.0", "v3.1.2"]
)
def test_a_server_from_2_5_on_has_both_lanes(version: str) -> None:
    assert kind_of(version) == MILVUS
    assert kind_of(version).lanes == {Lane.DENSE, Lane.LEXICAL}


@pytest.mark.parametrize("version", ["v2.3.5-lite", "2.3.0", "v2.3.9", "v2.4.23", "2.4-20240501-abc"])
def test_a_server_without_bm25_has_the_dense_lane_alone(version: str) -> None:
    kind = kind_of(version)
    assert kind.lanes == {Lane.DENSE}
    assert kind.suffix == "_dense"


def test_what_an_older_server_lacks_is_said_in_a_line_that_names_its_version() -> None:
    assert kind_of("v2.4.1").notice == "the lexical lane is off: Milvus 2.4.1 has no BM25, 2.5 has"
    assert (MILVUS.notice, LITE.notice) == ("", "")


@pytest.mark.parametrize("version", ["v2.2.16", "2.2.0-dev", "v2.1.4", "1.1.1", "v0.10.6"])
def test_a_server_that_cannot_do_what_is_needed_is_refused_by_its_version(version: str) -> None:
    with pytest.raises(MisconfiguredError, match=rf"Milvus {version} is too old.*2\.3.*2\.5"):
        kind_of(version)


@pytest.mark.parametrize("version", ["milvus_lite 3.2", "milvus_lite 3.2.2", "milvus_lite 2.0", "milvus_lite"])
def test_milvus_lite_is_told_by_its_name_whatever_its_number(version: str) -> None:
    assert kind_of(version) == LITE
    assert kind_of(version).is_lite


@pytest.mark.parametrize("version", ["", "unknown", "master-d41d8cd9", "v3"])
def test_a_version_without_a_number_is_taken_for_a_new_one(version: str) -> None:
    assert kind_of(version) == MILVUS


def test_the_version_is_found_in_what_a_cloud_says_of_itself() -> None:
    assert kind_of("Zilliz Cloud Vector Database(Compatible with Milvus 2.4)").lanes == {Lane.DENSE}


@KINDS
def test_a_schema_has_the_fields_that_are_asked_for_later_and_no_other(kind: ServerKind) -> None:
    fields = {field.name: field.dtype for field in schema_for(kind, 512).fields}
    assert fields == field_types(kind)


@KINDS
def test_the_sparse_field_is_there_where_the_lexical_lane_is(kind: ServerKind) -> None:
    has_lane = Lane.LEXICAL in kind.lanes
    assert (field_types(kind).get("lexical") is DataType.SPARSE_FLOAT_VECTOR) == has_lane
    assert ("lexical" in kind.indexed) == has_lane
    functions = [(each.input_field_names, each.output_field_names) for each in schema_for(kind, 512).functions]
    assert functions == ([(["lexical_text"], ["lexical"])] if has_lane else [])


@KINDS
def test_a_schema_holds_vectors_of_the_dimension_asked_for(kind: ServerKind) -> None:
    assert field_of(schema_for(kind, 384), "dense")["params"]["dim"] == 384


@KINDS
def test_chunks_go_by_ids_of_our_own_and_nothing_is_kept_that_is_not_declared(kind: ServerKind) -> None:
    schema = schema_for(kind, 512)
    assert schema.primary_field.name == "chunk_id"
    assert not schema.auto_id
    assert not schema.enable_dynamic_field


@pytest.mark.parametrize(("kind", "tokenizer"), [(MILVUS, "whitespace"), (LITE, "standard")])
def test_the_analyzer_is_the_one_that_leaves_tokens_whole(kind: ServerKind, tokenizer: str) -> None:
    parameters = field_of(schema_for(kind, 512), "lexical_text")["params"]
    assert parameters["enable_analyzer"]
    assert json.loads(str(parameters["analyzer_params"])) == {"tokenizer": tokenizer}


def test_a_server_without_bm25_is_asked_for_no_analyzer() -> None:
    assert "enable_analyzer" not in field_of(schema_for(DENSE_ONLY, 512), "lexical_text")["params"]


@KINDS
def test_programs_are_spread_over_partitions_where_that_is_safe(kind: ServerKind) -> None:
    keys = [field.name for field in schema_for(kind, 512).fields if field.is_partition_key]
    if kind == MILVUS:
        assert (keys, partitioning(kind)) == (["pgm_id"], {"num_partitions": 16})
    else:
        assert (keys, partitioning(kind)) == ([], {})


@KINDS
def test_what_is_indexed_is_a_field_of_the_schema_and_its_index_bears_its_name(kind: ServerKind) -> None:
    assert set(kind.indexed) <= field_types(kind).keys()
    for field in kind.indexed:
        (index,) = index_of(field)
        assert (index.field_name, index.index_name) == (field, field)


def test_vectors_are_compared_by_cosine_and_tokens_by_bm25() -> None:
    metrics = {field: next(iter(index_of(field))).get_index_configs()["metric_type"] for field in ("dense", "lexical")}
    assert metrics == {"dense": "COSINE", "lexical": "BM25"}


def field_of(schema: CollectionSchema, name: str) -> dict[str, dict[str, object]]:
    (found,) = (field.to_dict() for field in schema.fields if field.name == name)
    return dict(found)
