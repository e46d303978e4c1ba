"""Inventory on Postgres."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, Text, cast, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.document_rows import document_of_row
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.event_targets import named_documents
from adapters.postgres.index_rows import is_held_by, is_index
from adapters.postgres.many_rows import as_table
from adapters.postgres.program_rows import is_live
from adapters.postgres.tables import chunks, device_uses, documents, programs, used_documents, vector_indexes
from domain.document import DocumentRef
from domain.index_key import IndexKey
from domain.ports.inventory import Inventory, StockedDocument

_ARE_OF_IT = (used_documents.c.document_id == documents.c.document_id) & (
    used_documents.c.generation == documents.c.generation
)


class PostgresInventory(Inventory):
    """Reads of one statement each, so that every answer is of one moment."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def documents(self, key: IndexKey, *, after: str, limit: int) -> Sequence[StockedDocument]:
        """See the port."""
        return await self._stocked(_select_stocked(key).where(documents.c.document_id > after).limit(limit))

    async def these(self, key: IndexKey, document_ids: Sequence[str]) -> Sequence[StockedDocument]:
        """See the port."""
        return await self._stocked(_select_stocked(key).where(documents.c.document_id.in_(document_ids)))

    async def chunk_ids(self, key: IndexKey, documents: Sequence[DocumentRef]) -> frozenset[str]:
        """See the port."""
        asked = as_table(
            {
                "document_id": [ref.document_id for ref in documents],
                "generation": [ref.generation for ref in documents],
            },
            like=chunks,
        )
        is_asked = (chunks.c.document_id == asked.c.document_id) & (chunks.c.generation == asked.c.generation)
        statement = (
            select(chunks.c.chunk_id).join(asked, is_asked).where(chunks.c.rendering_version == key.rendering_version)
        )
        with translated_errors():
            async with self._engine.connect() as connection:
                return frozenset(await connection.scalars(statement))

    async def _stocked(self, statement: Select[Any]) -> list[StockedDocument]:
        with translated_errors():
            async with self._engine.connect() as connection:
                rows = await connection.execute(statement.order_by(documents.c.document_id))
        return [
            StockedDocument(
                document=document_of_row(row),
                chunk_rows=row.chunk_rows,
                is_held=row.is_held,
                is_due=row.is_due,
                is_moving=bool(row.is_moving),
                use_rows=row.use_rows,
                use_count=row.use_count,
            )
            for row in rows
        ]


def _select_stocked(key: IndexKey) -> Select[Any]:
    is_held = is_held_by(key)
    is_shown = (programs.c.pgm_id == documents.c.pgm_id) & is_live(documents.c.revision)
    return select(
        documents,
        _chunk_rows(key).label("chunk_rows"),
        is_held.label("is_held"),
        (~is_held & _is_in_use(key)).label("is_due"),
        tuple_(documents.c.document_id, cast(documents.c.generation, Text))
        .in_(select(named_documents()))
        .label("is_moving"),
        _use_rows().label("use_rows"),
        used_documents.c.use_count,
    ).select_from(documents.join(programs, is_shown).outerjoin(used_documents, _ARE_OF_IT))


def _chunk_rows(key: IndexKey) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(
            chunks.c.document_id == documents.c.document_id,
            chunks.c.generation == documents.c.generation,
            chunks.c.rendering_version == key.rendering_version,
        )
        .correlate(documents)
        .scalar_subquery()
    )


def _use_rows() -> ScalarSelect[int]:
    is_of_set = device_uses.c.set_id == used_documents.c.set_id
    return select(func.count()).where(is_of_set).correlate(used_documents).scalar_subquery()


def _is_in_use(key: IndexKey) -> ColumnElement[bool]:
    return exists().where(is_index(key), vector_indexes.c.is_current, vector_indexes.c.is_complete)
