"""Ownership on Postgres."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, Text, and_, cast, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.document_rows import further_blobs
from adapters.postgres.error_translation import translated_errors
from adapters.postgres.event_targets import is_to_be_purged, is_to_be_superseded, named_documents
from adapters.postgres.many_rows import as_table
from adapters.postgres.program_rows import is_live
from adapters.postgres.tables import NOW, documents, programs, revisions, uploads
from domain.document import DocumentRef, DocumentState
from domain.ports.ownership import Owner, Ownership
from domain.registration import pgm_id_of, prefix_of, revision_prefix

_IS_UNPURGED = programs.c.deleted_dt.is_not(None) & programs.c.purged_dt.is_(None)
_HAS_CHUNKS = {DocumentState.PENDING, DocumentState.INDEXING, DocumentState.INDEXED}


class PostgresOwnership(Ownership):
    """Reads without locks; an answer may be old by the time it is used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_vectors(self, documents: Sequence[DocumentRef]) -> Mapping[DocumentRef, Owner]:
        """See the port."""
        if not documents:
            return {}
        rows = await self._rows(_select_owners(documents))
        return {DocumentRef(document_id=row.document_id, generation=row.generation): _owner(row) for row in rows}

    async def owned_prefixes(self, prefixes: Sequence[str]) -> frozenset[str]:
        """See the port. A purge takes the revisions of a program away, so that those that are there own theirs."""
        pgm_ids = {pgm_id_of(prefix) for prefix in prefixes}
        of_programs = select(revisions.c.pgm_id, revisions.c.revision).where(revisions.c.pgm_id.in_(pgm_ids))
        under_way = select(uploads.c.prefix).where(uploads.c.prefix.in_(prefixes))
        # Uploads first: one that ends in between is a program by then.
        begun = {row.prefix for row in await self._rows(under_way)}
        registered = {revision_prefix(row.pgm_id, row.revision) for row in await self._rows(of_programs)}
        further = {prefix_of(row.blob_key) for row in await self._rows(further_blobs(pgm_ids))}
        return frozenset(prefixes) & (begun | registered | further)

    async def unpurged_programs(self, *, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        rows = await self._rows(
            select(programs.c.pgm_id)
            .where(_IS_UNPURGED, ~is_to_be_purged(programs.c.pgm_id), programs.c.pgm_id > after)
            .order_by(programs.c.pgm_id)
            .limit(limit)
        )
        return [row.pgm_id for row in rows]

    async def abandoned_uploads(self, *, older_than: timedelta, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        rows = await self._rows(
            select(uploads.c.prefix)
            .where(uploads.c.started_at < NOW - older_than, uploads.c.prefix > after)
            .order_by(uploads.c.prefix)
            .limit(limit)
        )
        return [row.prefix for row in rows]

    async def has_programs(self) -> bool:
        """See the port."""
        return bool(await self._rows(select(programs.c.pgm_id).where(programs.c.deleted_dt.is_(None)).limit(1)))

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with translated_errors():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
                return rows


def _select_owners(refs: Sequence[DocumentRef]) -> Select[Any]:
    asked = as_table(
        {
            "document_id": [ref.document_id for ref in refs],
            "generation": [ref.generation for ref in refs],
        },
        like=documents,
    )
    is_named = tuple_(asked.c.document_id, cast(asked.c.generation, Text)).in_(select(named_documents()))
    is_purged_soon = or_(
        and_(programs.c.deleted_dt.is_not(None), is_to_be_purged(programs.c.pgm_id)),
        and_(~is_live(documents.c.revision), is_to_be_superseded(documents.c.pgm_id, documents.c.revision)),
    )
    return select(
        asked,
        or_(is_named, is_purged_soon).label("is_moving"),
        (~is_live(documents.c.revision)).label("is_gone"),
        documents.c.generation.label("present_generation"),
        documents.c.state,
    ).select_from(
        asked.outerjoin(documents, documents.c.document_id == asked.c.document_id).outerjoin(
            programs, programs.c.pgm_id == documents.c.pgm_id
        )
    )


def _owner(row: Row[Any]) -> Owner:
    if row.is_moving:
        return Owner.EVENT
    if row.is_gone or row.present_generation is None:
        return Owner.NOBODY
    if row.present_generation != row.generation:
        return Owner.OTHER_GENERATION
    return Owner.DOCUMENT if row.state in _HAS_CHUNKS else Owner.FAILED_DOCUMENT
