"""What every Progress promises; written through the unit of work of the same record."""

from dataclasses import replace

import pytest

from contracts.records import a_document, a_registration, delete, indexed, mark_indexed, register
from domain.document import DocumentState, Failure
from domain.errors import NotFoundError
from domain.indexing_standing import IndexingState
from domain.ports.progress import Progress
from domain.ports.unit_of_work import UnitOfWork


class ProgressContract:
    """Needs the fixtures `progress` and `unit_of_work`, both over one record."""

    async def test_a_program_stands_where_its_documents_are(self, unit_of_work: UnitOfWork, progress: Progress) -> None:
        documents = [a_document(0, state=DocumentState.SKIPPED), a_document(1), a_document(2), a_document(3)]
        await register(unit_of_work, *documents)
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        pending = await progress.of("PGM_1")
        assert (pending.state, pending.progress.total, pending.generations) == (IndexingState.PENDING, 4, 4)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.begin_indexing([documents[1].ref])
        assert (await progress.of("PGM_1")).state is IndexingState.INDEXING
        await mark_indexed(unit_of_work, *map(indexed, documents[1:3]))
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_failed([(documents[3].ref, Failure(code="csv_invalid", message=""))])
        ended = await progress.of("PGM_1")
        assert (ended.state, ended.progress.done, ended.progress.failed) == (IndexingState.FAILED, 4, 1)
        assert ended.position > pending.position

    async def test_a_retry_is_a_later_moment(self, unit_of_work: UnitOfWork, progress: Progress) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document))
        before = await progress.of("PGM_1")
        async with unit_of_work.begin() as transaction:
            await transaction.documents.restart([document.ref])
        after = await progress.of("PGM_1")
        assert (before.state, after.state) == (IndexingState.INDEXED, IndexingState.PENDING)
        assert after.position > before.position

    async def test_the_latest_revision_is_told_beside_the_one_that_answers(
        self, unit_of_work: UnitOfWork, progress: Progress
    ) -> None:
        await register(unit_of_work, a_document())
        program = replace(a_registration().program, revision=2)
        async with unit_of_work.begin() as transaction:
            await transaction.programs.draw_revision("PGM_1")
            await transaction.programs.add_revision(a_registration(program=program))
            await transaction.documents.add([a_document(revision=2, document_id="PGM_1.r2.0")])
        standing = await progress.of("PGM_1")
        assert (standing.revision, standing.answering, standing.progress.total) == (2, 1, 1)

    async def test_a_program_that_is_unknown_or_deleted_stands_nowhere(
        self, unit_of_work: UnitOfWork, progress: Progress
    ) -> None:
        await register(unit_of_work, a_document())
        await delete(unit_of_work)
        for pgm_id in ("PGM_1", "PGM_9"):
            with pytest.raises(NotFoundError):
                await progress.of(pgm_id)
