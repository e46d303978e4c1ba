"""The collection that holds the chunks: its name, its fields, and how it comes to be. All of it blocks."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.exceptions import MilvusException
from pymilvus.milvus_client.index import IndexParams
from pymilvus.orm.schema import CollectionSchema

from adapters.milvus.texts import ID_BYTES, LEXICAL_BYTES
from domain.errors import MisconfiguredError
from domain.ports.embedder import EmbeddingModel

OLDEST_VERSION = (2, 5)  # the first one with BM25

# pgm_id is a plain field, not the partition key: Milvus Lite would give each partition segments of its own,
# BM25 counts words per segment there, and a search over all programs would visit every one of them.
_ID_FIELDS = ("pgm_id", "document_id", "document_type", "folder_id", "logic_id")

_TYPES = {
    "chunk_id": DataType.VARCHAR,
    **dict.fromkeys(_ID_FIELDS, DataType.VARCHAR),
    "generation": DataType.INT64,
    "lexical_text": DataType.VARCHAR,
    "lexical": DataType.SPARSE_FLOAT_VECTOR,
    "dense": DataType.FLOAT_VECTOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _ServerKind:
    """What the collection looks like on one kind of server. Both analyzers leave our tokens whole."""

    analyzer: str
    indexed: tuple[str, ...]


# Its `standard` works by a grammar that need not leave bigrams of kanji alone.
_MILVUS = _ServerKind(
    analyzer="whitespace", indexed=("dense", "lexical", "pgm_id", "document_id", "folder_id", "logic_id")
)

# Its `standard`, the only one it has, takes runs of word characters. And it writes the files of dense and scalar
# indexes in place: killed meanwhile, it never loads the collection again ("Not an Arrow file"). The sparse index
# has no file. Without the others searches are exact: 25 ms among 6,000 rungs (HNSW: 11), 155 among 20,000 (36).
_LITE = _ServerKind(analyzer="standard", indexed=("lexical",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCollection:
    """One collection per embedding model, dimension and rendering of the chunks, so that none mixes two."""

    alias: str
    model: EmbeddingModel
    rendering_version: int

    @property
    def name(self) -> str:
        """The collection's own name; Milvus allows letters, digits and underscores."""
        slug = re.sub(r"\W+", "_", self.model.name.lower(), flags=re.ASCII).strip("_")
        return f"{self.alias}_{slug}_{self.model.dimension}_r{self.rendering_version}"

    def prepare(self, client: MilvusClient, *, timeout_s: float) -> None:
        """Make what is missing, step by step, check what is there, load it, point the alias at it.

        Several processes may do so at once, and one may go on where another died. Raises MisconfiguredError
        where the collection or the server is of another kind.
        """
        version = str(client.get_server_version(timeout=timeout_s))
        _check_version(version)
        kind = _LITE if is_lite(version) else _MILVUS
        schema = self._schema(analyzer=kind.analyzer)
        _ensure(
            lambda: bool(client.has_collection(self.name, timeout=timeout_s)),
            # Bounded is what searches ask for; whoever needs more says so.
            lambda: client.create_collection(self.name, schema=schema, timeout=timeout_s, consistency_level="Bounded"),
        )
        self._check_fields(client, timeout_s)
        for field in kind.indexed:
            self._ensure_index(client, field, timeout_s)
        self._check_metric(client, timeout_s)
        client.load_collection(self.name, timeout=timeout_s)
        self._point_alias(client, timeout_s)

    def _schema(self, *, analyzer: str) -> CollectionSchema:
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("chunk_id", DataType.VARCHAR, is_primary=True, max_length=ID_BYTES)
        for field in _ID_FIELDS:
            schema.add_field(field, DataType.VARCHAR, max_length=ID_BYTES)
        schema.add_field("generation", DataType.INT64)
        schema.add_field(
            "lexical_text",
            DataType.VARCHAR,
            max_length=LEXICAL_BYTES,
            enable_analyzer=True,
            analyzer_params={"tokenizer": analyzer},
        )
        schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=self.model.dimension)
        schema.add_function(
            Function(
                name="bm25",
                function_type=FunctionType.BM25,
                input_field_names=["lexical_text"],
                output_field_names=["lexical"],
            )
        )
        return schema

    def _check_fields(self, client: MilvusClient, timeout_s: float) -> None:
        fields = {field["name"]: field for field in client.describe_collection(self.name, timeout=timeout_s)["fields"]}
        for name, expected in _TYPES.items():
            if name not in fields or fields[name]["type"] != expected:
                raise MisconfiguredError(f"the Milvus collection {self.name} has no {expected.name} field {name}")
        dimension = int(fields["dense"]["params"]["dim"])
        if dimension != self.model.dimension:
            raise MisconfiguredError(
                f"the Milvus collection {self.name} holds {dimension} dimensions, "
                f"the embedder makes {self.model.dimension}"
            )

    def _ensure_index(self, client: MilvusClient, field: str, timeout_s: float) -> None:
        _ensure(
            lambda: field in client.list_indexes(self.name, timeout=timeout_s),
            # Not waited for: on an empty collection there is nothing to build, and loading waits for the rest.
            lambda: client.create_index(self.name, _index(field), timeout=timeout_s, sync=False),
        )

    def _check_metric(self, client: MilvusClient, timeout_s: float) -> None:
        if "dense" not in client.list_indexes(self.name, timeout=timeout_s):
            return
        metric = client.describe_index(self.name, "dense", timeout=timeout_s).get("metric_type")
        if metric != "COSINE":
            raise MisconfiguredError(f"the Milvus collection {self.name} compares by {metric}, not by COSINE")

    def _point_alias(self, client: MilvusClient, timeout_s: float) -> None:
        if self.alias in client.list_collections(timeout=timeout_s):
            raise MisconfiguredError(f"MILVUS_COLLECTION_NAME {self.alias} is taken by a collection: choose another")
        _ensure(
            lambda: self.alias in client.list_aliases(self.name, timeout=timeout_s)["aliases"],
            lambda: _move_alias(client, self.name, self.alias, timeout_s),
        )


def is_lite(version: str) -> bool:
    """Whether a server that reports this version is Milvus Lite."""
    return version.startswith("milvus_lite")


def _check_version(version: str) -> None:
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST_VERSION:
        raise MisconfiguredError(f"Milvus {version} is too old: full-text search needs 2.5")


def _index(field: str) -> IndexParams:
    indexes = MilvusClient.prepare_index_params()
    if field == "dense":
        indexes.add_index(
            field,
            index_type="HNSW",
            index_name=field,
            metric_type="COSINE",
            params={"M": 16, "efConstruction": 200},
        )
    elif field == "lexical":
        indexes.add_index(field, index_type="SPARSE_INVERTED_INDEX", index_name=field, metric_type="BM25")
    else:
        indexes.add_index(field, index_type="INVERTED", index_name=field)
    return indexes


def _move_alias(client: MilvusClient, name: str, alias: str, timeout_s: float) -> None:
    try:
        client.create_alias(name, alias, timeout=timeout_s)
    except MilvusException:
        client.alter_alias(name, alias, timeout=timeout_s)


def _ensure(is_there: Callable[[], bool], make: Callable[[], None]) -> None:
    """Make something unless it is there, or somebody else made it at the same time."""
    if is_there():
        return
    try:
        make()
    except MilvusException:
        if not is_there():
            raise
