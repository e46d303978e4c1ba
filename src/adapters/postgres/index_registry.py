"""IndexRegistry on Postgres."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.document_rows import document_of_row
from adapters.postgres.index_rows import IS_INDEXED, is_held_by, is_index
from adapters.postgres.many_rows import as_table
from adapters.postgres.tables import NOW, chunks, documents, indexed_documents, programs
from adapters.postgres.tables import vector_indexes as stored
from domain.document import Document, DocumentRef
from domain.errors import UnavailableError
from domain.index_key import IndexKey
from domain.ports.embedder import EmbeddingModel
from domain.ports.index_registry import IndexRegistry, RecordedDocument, RegisteredIndex

_CHUNKS_PER_STATEMENT = 10_000
_HOLDS_CHUNKS = (
    exists()
    .where(
        indexed_documents.c.index_id == stored.c.index_id,
        indexed_documents.c.document_id == documents.c.document_id,
        documents.c.chunk_count > 0,
        IS_INDEXED,
    )
    .correlate(stored)
)


class PostgresIndexRegistry(IndexRegistry):
    """Indexes in the transaction of one connection.

    Whoever indexes holds the current row with a shared lock until its commit; the switch takes every row
    for itself. So a document is either recorded before the switch looks for what is lacking, or refused.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def current(self) -> RegisteredIndex | None:
        """See the port."""
        row = (await self._connection.execute(_select_index().where(stored.c.is_current))).one_or_none()
        return None if row is None else _index_of_row(row)

    async def adopt(self, key: IndexKey) -> RegisteredIndex:
        """See the port. Of several that adopt at once, one index becomes current."""
        if (known := await self.current()) is not None:
            return known
        is_first = ~select(literal(1)).select_from(documents).where(IS_INDEXED).exists()
        await self._connection.execute(
            insert(stored)
            .from_select(
                ["model_name", "dimension", "rendering_version", "is_current", "is_complete"],
                select(*_literals(key), literal(value=True), is_first),
            )
            .on_conflict_do_nothing()
        )
        if (adopted := await self.current()) is not None:
            return adopted
        # Begun by somebody and never completed, and there is no other.
        await self._connection.execute(update(stored).where(is_index(key)).values(is_current=True))
        return await self._known(key)

    async def begin(self, key: IndexKey) -> RegisteredIndex:
        """See the port."""
        values = {"is_current": False, "is_complete": False}
        await self._connection.execute(insert(stored).values(_columns(key) | values).on_conflict_do_nothing())
        return await self._known(key)

    async def hold_current(self, key: IndexKey) -> None:
        """See the port."""
        held = await self._connection.execute(
            select(stored.c.index_id).where(is_index(key), stored.c.is_current).with_for_update(read=True)
        )
        if held.one_or_none() is None:
            raise UnavailableError("vector index", f"documents are not indexed by {key} now")

    async def record(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        """See the port."""
        if not documents:
            return
        ordered = sorted(documents, key=lambda ref: ref.document_id)
        incoming = as_table(
            {
                "document_id": [ref.document_id for ref in ordered],
                "generation": [ref.generation for ref in ordered],
            },
            like=indexed_documents,
        )
        held = insert(indexed_documents).from_select(
            ["index_id", "document_id", "generation"],
            select(stored.c.index_id, incoming.c.document_id, incoming.c.generation).join_from(
                incoming, stored, is_index(key)
            ),
        )
        await self._connection.execute(
            held.on_conflict_do_update(
                index_elements=["index_id", "document_id"], set_={"generation": held.excluded.generation}
            )
        )

    async def lacking(self, key: IndexKey, *, limit: int) -> Sequence[Document]:
        """See the port."""
        rows = await self._connection.execute(
            select(documents)
            .join(programs, programs.c.pgm_id == documents.c.pgm_id)
            .where(IS_INDEXED, ~is_held_by(key))
            .order_by(programs.c.pgm_number.desc(), documents.c.revision, documents.c.ordinal)
            .limit(limit)
        )
        return [document_of_row(row) for row in rows]

    async def held(self, key: IndexKey, *, after: str, limit: int) -> Sequence[RecordedDocument]:
        """See the port. Counted row by row: another rendering may have cut a document otherwise."""
        count = (
            select(func.count())
            .where(
                chunks.c.document_id == documents.c.document_id,
                chunks.c.generation == documents.c.generation,
                chunks.c.rendering_version == key.rendering_version,
            )
            .correlate(documents)
            .scalar_subquery()
        )
        rows = await self._connection.execute(
            select(documents.c.document_id, documents.c.generation, count.label("chunk_count"))
            .where(documents.c.document_id > after, IS_INDEXED, is_held_by(key))
            .order_by(documents.c.document_id)
            .limit(limit)
        )
        return [
            RecordedDocument(
                ref=DocumentRef(document_id=row.document_id, generation=row.generation), chunk_count=row.chunk_count
            )
            for row in rows
        ]

    async def forget(self, key: IndexKey, documents: Collection[DocumentRef]) -> None:
        """See the port."""
        if not documents:
            return
        doomed = as_table(
            {
                "document_id": [ref.document_id for ref in documents],
                "generation": [ref.generation for ref in documents],
            },
            like=indexed_documents,
        )
        await self._connection.execute(
            delete(indexed_documents).where(
                indexed_documents.c.index_id == select(stored.c.index_id).where(is_index(key)).scalar_subquery(),
                indexed_documents.c.document_id == doomed.c.document_id,
                indexed_documents.c.generation == doomed.c.generation,
            )
        )

    async def lost(self, key: IndexKey) -> None:
        """See the port."""
        index_id = (
            await self._connection.execute(
                update(stored).where(is_index(key)).values(is_complete=False).returning(stored.c.index_id)
            )
        ).scalar_one_or_none()
        await self._connection.execute(delete(indexed_documents).where(indexed_documents.c.index_id == index_id))

    async def complete(self, key: IndexKey) -> bool:
        """See the port. The rows are locked in the order of their ids: two switches wait for each other."""
        await self._connection.execute(select(stored.c.index_id).order_by(stored.c.index_id).with_for_update())
        is_known = (await self._connection.execute(select(stored.c.index_id).where(is_index(key)))).first()
        if is_known is None or await self.lacking(key, limit=1):
            return False
        # Two statements: at no moment may two rows be current, not even between those of one update.
        await self._connection.execute(update(stored).where(~is_index(key)).values(is_current=False))
        await self._connection.execute(
            update(stored)
            .where(is_index(key))
            .values(is_current=True, is_complete=True, builder=None, builder_until=None)
        )
        return True

    async def take_building(self, key: IndexKey, *, builder: str, lease: timedelta) -> bool:
        """See the port. By the database's clock."""
        is_free = or_(stored.c.builder.is_(None), stored.c.builder == builder, stored.c.builder_until <= NOW)
        taken = await self._connection.execute(
            update(stored)
            .where(is_index(key), is_free)
            .values(builder=builder, builder_until=NOW + lease)
            .returning(stored.c.index_id)
        )
        return taken.one_or_none() is not None

    async def forget_others(self, key: IndexKey) -> None:
        """See the port."""
        await self._connection.execute(delete(stored).where(~is_index(key)))
        await self._forget_other_renderings(key.rendering_version)

    async def _forget_other_renderings(self, rendering_version: int) -> None:
        """In slices, like a purge: the chunks of a whole registry must not outlast the statement timeout."""
        some = (
            select(chunks.c.chunk_id, chunks.c.rendering_version)
            .where(chunks.c.rendering_version != rendering_version)
            .limit(_CHUNKS_PER_STATEMENT)
        )
        doomed = delete(chunks).where(tuple_(chunks.c.chunk_id, chunks.c.rendering_version).in_(some))
        while (await self._connection.execute(doomed)).rowcount == _CHUNKS_PER_STATEMENT:
            pass

    async def _known(self, key: IndexKey) -> RegisteredIndex:
        return _index_of_row((await self._connection.execute(_select_index().where(is_index(key)))).one())


def _select_index() -> Select[Any]:
    return select(stored, _HOLDS_CHUNKS.label("holds_chunks"))


def _index_of_row(row: Row[Any]) -> RegisteredIndex:
    return RegisteredIndex(
        key=IndexKey(
            model=EmbeddingModel(name=row.model_name, dimension=row.dimension), rendering_version=row.rendering_version
        ),
        is_current=row.is_current,
        is_complete=row.is_complete,
        holds_chunks=row.holds_chunks,
    )


def _columns(key: IndexKey) -> dict[str, object]:
    return {
        "model_name": key.model.name,
        "dimension": key.model.dimension,
        "rendering_version": key.rendering_version,
    }


def _literals(key: IndexKey) -> list[Any]:
    return [literal(value) for value in _columns(key).values()]
