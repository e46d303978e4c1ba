"""DocumentRepo on Postgres."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Select, Text, any_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from adapters.postgres.diagnostics import legible
from adapters.postgres.document_rows import document_of_row, row_of_document, rows_of_chunks
from adapters.postgres.many_rows import as_table, insert_new, insert_of
from adapters.postgres.program_rows import is_live
from adapters.postgres.tables import NOW, chunks, programs, revisions
from adapters.postgres.tables import documents as stored
from domain.document import Document, DocumentRef, DocumentState, Failure
from domain.errors import NotFoundError, NotRemovableError, TooManyDocumentsError
from domain.further.further_document import PROGRAM_ITSELF
from domain.ports.document_repo import EVERY_STATE, DocumentRepo, IndexedDocument

_UNFINISHED = (DocumentState.PENDING.value, DocumentState.INDEXING.value)


class PostgresDocumentRepo(DocumentRepo):
    """Documents in the transaction of one connection.

    What changes documents first locks them in the order of their ids, so that two workers and a delete
    wait for each other instead of blocking each other.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, documents: Sequence[Document]) -> None:
        """See the port. Raises ConflictError when a document is there already or its revision is not."""
        if documents:
            rows = [row_of_document(document) for document in documents]
            await self._connection.execute(insert_of(stored, rows))

    async def put_further(self, document: Document, *, at_most: int) -> tuple[Document, Document | None]:
        """See the port. The program's row is locked: two of one name come one after the other."""
        await self._hold_program(document.pgm_id)
        revision = {"pgm_id": document.pgm_id, "revision": document.revision, "create_user": ""}
        await self._connection.execute(insert(revisions).values(revision).on_conflict_do_nothing())
        found = await self._connection.execute(
            select(stored)
            .where(stored.c.pgm_id == document.pgm_id, stored.c.revision == document.revision)
            .where(stored.c.document_name == document.document_name)
            .with_for_update(key_share=True)
        )
        row = found.one_or_none()
        if row is None:
            of_program = (stored.c.pgm_id == document.pgm_id) & (stored.c.revision == document.revision)
            if (await self._connection.scalar(select(func.count()).where(of_program)) or 0) >= at_most:
                raise TooManyDocumentsError(f"the program has {at_most} further documents already")
            await self.add([document])
            return document, None
        before = document_of_row(row)
        recorded = document.in_place_of(before)
        await self._connection.execute(
            update(stored).where(stored.c.document_id == before.document_id).values(row_of_document(recorded))
        )
        return recorded, before

    async def remove_further(self, pgm_id: str, document_id: str) -> Document:
        """See the port. Its chunks go along."""
        await self._hold_program(pgm_id)
        found = await self._connection.execute(
            select(stored).where(stored.c.document_id == document_id, stored.c.pgm_id == pgm_id).with_for_update()
        )
        row = found.one_or_none()
        if row is None:
            raise NotFoundError("document", document_id)
        document = document_of_row(row)
        if document.revision != PROGRAM_ITSELF:
            raise NotRemovableError("the document came with its program's files")
        await self._connection.execute(delete(stored).where(stored.c.document_id == document_id))
        return document

    async def begin_indexing(self, refs: Sequence[DocumentRef]) -> list[Document]:
        """See the port. A document that is being indexed is included: its worker may have died."""
        current = await self._lock_current(refs, stored.c.state.in_(_UNFINISHED))
        if not current:
            return []
        rows = await self._connection.execute(
            update(stored)
            .where(stored.c.document_id.in_(list(current)))
            .values(state=DocumentState.INDEXING.value)
            .returning(*stored.c)
        )
        return sorted(map(document_of_row, rows), key=lambda document: document.ordinal)

    async def current(self, refs: Sequence[DocumentRef]) -> frozenset[DocumentRef]:
        """See the port."""
        if not refs:
            return frozenset()
        rows = await self._connection.execute(_select_current(refs))
        return frozenset(DocumentRef(document_id=row.document_id, generation=row.generation) for row in rows)

    async def mark_indexed(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """See the port."""
        by_ref = {document.ref: document for document in documents}
        current = await self._lock_current(list(by_ref))
        if not current:
            return frozenset()
        indexed = [by_ref[ref] for ref in current.values()]
        await self._remove_chunks(indexed)
        await self._add_chunks(indexed)
        counts = as_table(
            {
                "document_id": list(current),
                "chunk_count": [len(by_ref[ref].chunks) for ref in current.values()],
            },
            like=stored,
        )
        await self._connection.execute(
            update(stored)
            .where(stored.c.document_id == counts.c.document_id)
            .values(
                state=DocumentState.INDEXED.value,
                chunk_count=counts.c.chunk_count,
                indexed_dt=NOW,
                failure_code=None,
                failure_message=None,
            )
        )
        return frozenset(current.values())

    async def embedded_texts(
        self, pgm_id: str, logic_ids: Collection[str], *, rendering_version: int
    ) -> Mapping[bytes, str]:
        """See the port."""
        wanted = bindparam("logic_ids", list(logic_ids), type_=ARRAY(Text))
        rows = await self._connection.execute(
            select(chunks.c.dense_digest, chunks.c.chunk_id)
            .join(stored, stored.c.document_id == chunks.c.document_id)
            .where(
                stored.c.pgm_id == pgm_id,
                stored.c.logic_id == any_(wanted),
                chunks.c.rendering_version == rendering_version,
                chunks.c.dense_digest.is_not(None),
            )
        )
        return {row.dense_digest: row.chunk_id for row in rows}

    async def add_rendering(self, documents: Sequence[IndexedDocument]) -> frozenset[DocumentRef]:
        """See the port. Documents are locked, so that a delete or a re-index comes before or after the whole."""
        by_ref = {document.ref: document for document in documents}
        current = await self._lock_current(list(by_ref), stored.c.state == DocumentState.INDEXED.value)
        await self._add_chunks([by_ref[ref] for ref in current.values()])
        return frozenset(current.values())

    async def of_program(self, pgm_id: str) -> list[Document]:
        """See the port. The program before its documents, as a delete locks them."""
        program = await self._connection.execute(
            select(programs.c.revision, programs.c.latest_revision)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .with_for_update(read=True)
        )
        live = program.one_or_none()
        if live is None:
            raise NotFoundError("program", pgm_id)
        rows = await self._connection.execute(
            select(stored)
            .where(stored.c.pgm_id == pgm_id, stored.c.revision.in_([*live, PROGRAM_ITSELF]))
            .order_by(stored.c.revision, stored.c.ordinal)
        )
        return [document_of_row(row) for row in rows]

    async def restart(
        self, refs: Sequence[DocumentRef], *, states: AbstractSet[DocumentState] = EVERY_STATE
    ) -> list[DocumentRef]:
        """See the port."""
        current = await self._lock_current(refs, stored.c.state.in_([state.value for state in states]))
        if not current:
            return []
        rows = await self._connection.execute(
            update(stored)
            .where(stored.c.document_id.in_(list(current)))
            .values(
                generation=stored.c.generation + 1,
                state=DocumentState.PENDING.value,
                chunk_count=0,
                indexed_dt=None,
                failure_code=None,
                failure_message=None,
            )
            .returning(stored.c.document_id, stored.c.generation)
        )
        restarted = (DocumentRef(document_id=row.document_id, generation=row.generation) for row in rows)
        return sorted(restarted, key=lambda ref: ref.document_id)

    async def superseded(self, pgm_id: str, revision: int) -> Sequence[DocumentRef]:
        """See the port."""
        rows = await self._connection.execute(
            select(stored.c.document_id, stored.c.generation)
            .join(programs, programs.c.pgm_id == stored.c.pgm_id)
            .where(stored.c.pgm_id == pgm_id, stored.c.revision == revision, ~is_live(stored.c.revision))
            .order_by(stored.c.document_id)
        )
        return [DocumentRef(document_id=row.document_id, generation=row.generation) for row in rows]

    async def mark_failed(self, failures: Sequence[tuple[DocumentRef, Failure]]) -> frozenset[DocumentRef]:
        """See the port. What is terminal already stays as it is."""
        by_ref = dict(failures)
        current = await self._lock_current(list(by_ref), stored.c.state.in_(_UNFINISHED))
        if not current:
            return frozenset()
        reasons = as_table(
            {
                "document_id": list(current),
                "failure_code": [by_ref[ref].code for ref in current.values()],
                "failure_message": [legible(by_ref[ref].message) for ref in current.values()],
            },
            like=stored,
        )
        await self._connection.execute(
            update(stored)
            .where(stored.c.document_id == reasons.c.document_id)
            .values(
                state=DocumentState.FAILED.value,
                failure_code=reasons.c.failure_code,
                failure_message=reasons.c.failure_message,
            )
        )
        return frozenset(current.values())

    async def move_to_own_blob(self, ref: DocumentRef, blob_key: str) -> None:
        """See the port. An unknown reference is left out."""
        has_owner = exists().where(programs.c.pgm_id == stored.c.pgm_id, is_live(stored.c.revision))
        await self._connection.execute(
            update(stored)
            .where(
                stored.c.document_id == ref.document_id,
                stored.c.generation == ref.generation,
                has_owner,
            )
            .values(blob_key=blob_key, member=None)
        )

    async def _hold_program(self, pgm_id: str) -> None:
        """The program before its documents, as deletes and retries lock them."""
        live = await self._connection.execute(
            select(programs.c.pgm_id)
            .where(programs.c.pgm_id == pgm_id, programs.c.deleted_dt.is_(None))
            .with_for_update(key_share=True)
        )
        if live.one_or_none() is None:
            raise NotFoundError("program", pgm_id)

    async def _lock_current(
        self, refs: Sequence[DocumentRef], *conditions: ColumnElement[bool]
    ) -> Mapping[str, DocumentRef]:
        """Lock those of the references that are current and meet the conditions; by document id, in its order.

        Postgres reads the conditions again on a row that it had to wait for; a delete raises the generation,
        so that the generation alone shows it.
        """
        if not refs:
            return {}
        rows = await self._connection.execute(
            _select_current(refs)
            .where(*conditions)
            .order_by(stored.c.document_id)
            .with_for_update(of=stored, key_share=True)
        )
        return {row.document_id: DocumentRef(document_id=row.document_id, generation=row.generation) for row in rows}

    async def _remove_chunks(self, indexed: Sequence[IndexedDocument]) -> None:
        """Take away what these documents' chunks replace: other generations, and the same rendering of this one."""
        incoming = as_table(
            {
                "document_id": [document.ref.document_id for document in indexed],
                "generation": [document.ref.generation for document in indexed],
                "rendering_version": [document.rendering_version for document in indexed],
            },
            like=chunks,
        )
        is_replaced = (chunks.c.generation != incoming.c.generation) | (
            chunks.c.rendering_version == incoming.c.rendering_version
        )
        await self._connection.execute(
            delete(chunks).where(chunks.c.document_id == incoming.c.document_id, is_replaced)
        )

    async def _add_chunks(self, indexed: Sequence[IndexedDocument]) -> None:
        rows = [
            row
            for document in indexed
            for row in rows_of_chunks(document.ref, document.chunks, rendering_version=document.rendering_version)
        ]
        if rows:
            await self._connection.execute(insert_new(chunks, rows))


def _select_current(refs: Sequence[DocumentRef]) -> Select[tuple[str, int]]:
    wanted = as_table(
        {
            "document_id": [ref.document_id for ref in refs],
            "generation": [ref.generation for ref in refs],
        },
        like=stored,
    )
    is_wanted = (stored.c.document_id == wanted.c.document_id) & (stored.c.generation == wanted.c.generation)
    return (
        select(stored.c.document_id, stored.c.generation)
        .join(wanted, is_wanted)
        .join(programs, programs.c.pgm_id == stored.c.pgm_id)
        .where(is_live(stored.c.revision))
    )
