"""A collection that is missing is told from a database that is."""

from typing import Any, cast

import pytest
from pymilvus.exceptions import MilvusException

from adapters.milvus.connection import MilvusSession
from adapters.milvus.errors import COLLECTION_NOT_FOUND, translated_errors
from adapters.milvus.open_collection import OpenCollection
from adapters.milvus.server_kinds import kind_of
from domain.errors import LadderbaseError, MisconfiguredError, UnavailableError


class Milvus235Client:
    """Answers as 2.3.5 does where a collection, or the database it would be in, is missing."""

    def __init__(self, *, has_database: bool) -> None:
        self._has_database = has_database

    async def query(self, name: str, **_: object) -> list[dict[str, Any]]:
        message = f"collection not found[database=plant][collection={name}]"
        raise MilvusException(code=COLLECTION_NOT_FOUND, message=message)

    async def list_collections(self, **_: object) -> list[str]:
        if not self._has_database:
            raise MilvusException(code=800, message="database not found[database=plant]")
        return []


@pytest.mark.parametrize(
    ("has_database", "kind", "told"),
    [
        (False, MisconfiguredError, "there is no database of that name: see MILVUS_DATABASE"),
        (True, UnavailableError, "the collection is missing, a worker builds it again"),
    ],
)
async def test_a_missing_database_names_the_setting_and_a_missing_collection_a_worker(
    kind: type[LadderbaseError], told: str, *, has_database: bool
) -> None:
    client = cast("Any", Milvus235Client(has_database=has_database))
    collection = OpenCollection(session=MilvusSession(client=client, kind=kind_of("v2.3.5")), name="x", timeout_s=1)
    with pytest.raises(kind, match=told), translated_errors():
        await collection.answering(OpenCollection.look)
