"""UseRepo on Postgres."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.document_rows import document_of_row
from adapters.postgres.index_rows import IS_INDEXED
from adapters.postgres.many_rows import Row, as_table, insert_of
from adapters.postgres.program_rows import PGM_ID_PREFIX
from adapters.postgres.tables import device_uses, documents, programs, used_documents
from adapters.postgres.use_rows import row_of_use
from domain.document import Document, DocumentRef
from domain.ports.document_repo import IndexedDocument
from domain.ports.use_repo import UseRepo
from domain.uses import USES_VERSION

_ROWS_PER_STATEMENT = 20_000


class PostgresUseRepo(UseRepo):
    """Uses in the transaction of one connection. Documents are locked in the order of their ids, as everywhere."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def record(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """See the port."""
        by_id = {each.ref.document_id: each for each in documents}
        pgm_ids = await self._lock_indexed([each.ref for each in documents])
        known = [by_id[document_id] for document_id in pgm_ids]
        counts = {each.ref: sum(len(chunk.uses) for chunk in each.chunks) for each in known}
        sets = await self._begin_sets(counts, is_unreadable=False)
        rows = [
            row
            for document_id, set_id in sets.items()
            for row in _rows(by_id[document_id], set_id, int(pgm_ids[document_id].removeprefix(PGM_ID_PREFIX)))
        ]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            await self._connection.execute(insert_of(device_uses, rows[start : start + _ROWS_PER_STATEMENT]))
        return frozenset(by_id[document_id].ref for document_id in sets)

    async def give_up(self, refs: Collection[DocumentRef]) -> None:
        """See the port."""
        known = await self._lock_indexed(refs)
        await self._begin_sets({ref: 0 for ref in refs if ref.document_id in known}, is_unreadable=True)

    async def forget(self, refs: Collection[DocumentRef]) -> None:
        """See the port. Takes the uses along."""
        if known := await self._lock_indexed(refs):
            await self._connection.execute(delete(used_documents).where(used_documents.c.document_id.in_(list(known))))

    async def lacking(self, *, limit: int) -> Sequence[Document]:
        """See the port."""
        rows = await self._connection.execute(
            select(documents)
            .join(programs, programs.c.pgm_id == documents.c.pgm_id)
            .where(IS_INDEXED, ~has_uses(version=USES_VERSION))
            .order_by(programs.c.pgm_number.desc(), documents.c.revision, documents.c.ordinal)
            .limit(limit)
        )
        return [document_of_row(row) for row in rows]

    async def _lock_indexed(self, refs: Collection[DocumentRef]) -> Mapping[str, str]:
        """Lock those that are known; their programs by the id of the document."""
        if not refs:
            return {}
        wanted = as_table(
            {"document_id": [ref.document_id for ref in refs], "generation": [ref.generation for ref in refs]},
            like=documents,
        )
        is_wanted = (documents.c.document_id == wanted.c.document_id) & (documents.c.generation == wanted.c.generation)
        rows = await self._connection.execute(
            select(documents.c.document_id, documents.c.pgm_id)
            .join(wanted, is_wanted)
            .where(IS_INDEXED)
            .order_by(documents.c.document_id)
            .with_for_update(of=documents, key_share=True)
        )
        return {row.document_id: row.pgm_id for row in rows}

    async def _begin_sets(self, counts: Mapping[DocumentRef, int], *, is_unreadable: bool) -> Mapping[str, int]:
        """A new set for each document, of so many uses; the one before it goes, with its own."""
        if not counts:
            return {}
        of_these = used_documents.c.document_id.in_([ref.document_id for ref in counts])
        await self._connection.execute(delete(used_documents).where(of_these))
        rows: list[Row] = [
            {
                "document_id": ref.document_id,
                "generation": ref.generation,
                "uses_version": USES_VERSION,
                "is_unreadable": is_unreadable,
                "use_count": count,
            }
            for ref, count in counts.items()
        ]
        begun = await self._connection.execute(
            insert_of(used_documents, rows).returning(used_documents.c.document_id, used_documents.c.set_id)
        )
        return {row.document_id: row.set_id for row in begun}


def has_uses(*, version: int | None = None) -> ColumnElement[bool]:
    """Whether the uses of a document are recorded at its generation: by a `version` of the table or a newer, or any."""
    of_version = [used_documents.c.uses_version >= version] if version is not None else []
    is_recorded = exists().where(
        used_documents.c.document_id == documents.c.document_id,
        used_documents.c.generation == documents.c.generation,
        *of_version,
    )
    return is_recorded.correlate(documents)


def _rows(document: IndexedDocument, set_id: int, pgm_number: int) -> Iterator[Row]:
    for chunk in document.chunks:
        for use in chunk.uses:
            yield row_of_use(use, chunk.ordinal, set_id=set_id, pgm_number=pgm_number)
