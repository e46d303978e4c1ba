"""How the collection that holds the chunks comes to be, is made known, and outlives others. All of it blocks."""

from collections.abc import Callable
from dataclasses import dataclass

from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from adapters.milvus.names import CollectionNames
from adapters.milvus.schema import METRIC, field_types, index_of, partitioning, schema_for
from adapters.milvus.server_kinds import ServerKind, kind_of
from domain.errors import MisconfiguredError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkCollection:
    """The collection of one key; those of other keys stand behind the same alias."""

    names: CollectionNames

    def prepare(self, client: MilvusClient, *, timeout_s: float) -> None:
        """Make what is missing, step by step, check what is there, load it.

        Several processes may do so at once, and one may go on where another died. Raises MisconfiguredError
        where the collection or the server is of another kind, or the alias cannot be had.
        """
        kind = _kind(client, timeout_s)
        name = self.names.of(kind)
        self._require_free_alias(client, timeout_s)
        schema = schema_for(kind, self.names.key.model.dimension)
        # Bounded is what searches ask for; whoever needs more says so.
        options = {"schema": schema, "consistency_level": "Bounded", **partitioning(kind)}
        _ensure(
            lambda: bool(client.has_collection(name, timeout=timeout_s)),
            lambda: client.create_collection(name, timeout=timeout_s, **options),
        )
        self._check_fields(client, kind, timeout_s)
        for field in kind.indexed:
            _ensure_index(client, name, field, timeout_s)
        _check_metric(client, name, timeout_s)
        client.load_collection(name, timeout=timeout_s)

    def publish(self, client: MilvusClient, *, timeout_s: float) -> None:
        """Point the alias at this collection. Raises MisconfiguredError where a collection has that name."""
        self._require_free_alias(client, timeout_s)
        name, alias = self.names.of(_kind(client, timeout_s)), self.names.alias
        _ensure(
            lambda: alias in client.list_aliases(name, timeout=timeout_s)["aliases"],
            lambda: _move_alias(client, name, alias, timeout_s),
        )

    def drop_others(self, client: MilvusClient, *, timeout_s: float) -> int:
        """Drop the other collections behind our alias; how many there were."""
        own = self.names.of(_kind(client, timeout_s))
        others = [name for name in self.names.among(client.list_collections(timeout=timeout_s)) if name != own]
        for name in others:
            # From 2.5.5 on a collection with aliases cannot be dropped; before, they would point nowhere.
            for alias in client.list_aliases(name, timeout=timeout_s)["aliases"]:
                client.drop_alias(alias, timeout=timeout_s)
            client.drop_collection(name, timeout=timeout_s)
        return len(others)

    def _require_free_alias(self, client: MilvusClient, timeout_s: float) -> None:
        if self.names.alias in client.list_collections(timeout=timeout_s):
            raise MisconfiguredError(
                f"MILVUS_COLLECTION_NAME {self.names.alias} is taken by a collection: choose another"
            )

    def _check_fields(self, client: MilvusClient, kind: ServerKind, timeout_s: float) -> None:
        name, model = self.names.of(kind), self.names.key.model
        fields = {field["name"]: field for field in client.describe_collection(name, timeout=timeout_s)["fields"]}
        for field, expected in field_types(kind).items():
            if field not in fields or fields[field]["type"] != expected:
                raise MisconfiguredError(f"the Milvus collection {name} has no {expected.name} field {field}")
        dimension = int(fields["dense"]["params"]["dim"])
        if dimension != model.dimension:
            raise MisconfiguredError(
                f"the Milvus collection {name} holds {dimension} dimensions, the embedder makes {model.dimension}"
            )


def _kind(client: MilvusClient, timeout_s: float) -> ServerKind:
    return kind_of(str(client.get_server_version(timeout=timeout_s)))


def _ensure_index(client: MilvusClient, name: str, field: str, timeout_s: float) -> None:
    _ensure(
        lambda: field in client.list_indexes(name, timeout=timeout_s),
        # Not waited for: on an empty collection there is nothing to build, and loading waits for the rest.
        lambda: client.create_index(name, index_of(field), timeout=timeout_s, sync=False),
    )


def _check_metric(client: MilvusClient, name: str, timeout_s: float) -> None:
    if "dense" not in client.list_indexes(name, timeout=timeout_s):
        return
    metric = client.describe_index(name, "dense", timeout=timeout_s).get("metric_type")
    if metric != METRIC:
        raise MisconfiguredError(f"the Milvus collection {name} compares by {metric}, not by {METRIC}")


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
