"""The fields and indexes of a collection that holds chunks."""

from typing import Any

from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.milvus_client.index import IndexParams
from pymilvus.orm.schema import CollectionSchema

from adapters.milvus.server_kinds import ServerKind
from adapters.milvus.texts import ID_BYTES, LEXICAL_BYTES

METRIC = "COSINE"

_ID_FIELDS = ("pgm_id", "document_id", "document_type", "folder_id", "logic_id")


def field_types(kind: ServerKind) -> dict[str, DataType]:
    """The fields that a collection must have."""
    return {
        "chunk_id": DataType.VARCHAR,
        **dict.fromkeys(_ID_FIELDS, DataType.VARCHAR),
        "generation": DataType.INT64,
        "lexical_text": DataType.VARCHAR,
        "dense": DataType.FLOAT_VECTOR,
        **({"lexical": DataType.SPARSE_FLOAT_VECTOR} if kind.analyzer else {}),
    }


def schema_for(kind: ServerKind, dimension: int) -> CollectionSchema:
    """The schema on a server of this kind. The lexical text is kept everywhere: the ranking reads it."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=ID_BYTES)
    for field in _ID_FIELDS:
        is_key = field == "pgm_id" and kind.partitions is not None
        schema.add_field(field, DataType.VARCHAR, max_length=ID_BYTES, is_partition_key=is_key)
    schema.add_field("generation", DataType.INT64)
    analysis = {"enable_analyzer": True, "analyzer_params": {"tokenizer": kind.analyzer}} if kind.analyzer else {}
    schema.add_field("lexical_text", DataType.VARCHAR, max_length=LEXICAL_BYTES, **analysis)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    if kind.analyzer:
        schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(_bm25())
    return schema


def partitioning(kind: ServerKind) -> dict[str, Any]:
    """What to create the collection with besides its schema: a server without a partition key refuses a number."""
    return {} if kind.partitions is None else {"num_partitions": kind.partitions}


def index_of(field: str) -> IndexParams:
    """The index of a field, named like it."""
    indexes = MilvusClient.prepare_index_params()
    if field == "dense":
        graph = {"M": 16, "efConstruction": 200}
        indexes.add_index(field, index_type="HNSW", index_name=field, metric_type=METRIC, params=graph)
    elif field == "lexical":
        indexes.add_index(field, index_type="SPARSE_INVERTED_INDEX", index_name=field, metric_type="BM25")
    else:
        indexes.add_index(field, index_type="INVERTED", index_name=field)
    return indexes


def search_parameters(field: str, limit: int) -> dict[str, Any]:
    """What a search of a vector field is told; `limit` is the number of hits asked for."""
    if field == "lexical":
        return {"metric_type": "BM25"}
    # The breadth of an HNSW search, at least the number of hits; Milvus Lite, without that index, ignores it.
    return {"metric_type": METRIC, "params": {"ef": max(64, limit)}}


def _bm25() -> Function:
    return Function(
        name="bm25",
        function_type=FunctionType.BM25,
        input_field_names=["lexical_text"],
        output_field_names=["lexical"],
    )
