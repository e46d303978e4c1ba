"""What every record promises of a program's revisions."""

from dataclasses import replace
from typing import Any

import pytest

from contracts.records import CREATED, a_chunk, a_document, a_registration, delete, indexed, mark_indexed, register
from domain.comments import DeviceComments
from domain.document import Document, DocumentState, DocumentType, Failure
from domain.errors import ConflictError, InvalidRequestError, NotFoundError
from domain.index_key import IndexKey
from domain.ports.catalogue import Catalogue
from domain.ports.embedder import EmbeddingModel
from domain.ports.unit_of_work import UnitOfWork
from domain.program import Registration
from domain.template import Template

KEY = IndexKey(model=EmbeddingModel(name="model", dimension=8), rendering_version=2)


def of_revision(revision: int, ordinal: int = 0, **changes: Any) -> Document:
    return a_document(ordinal, document_id=f"PGM_1.r{revision}.{ordinal}", revision=revision, **changes)


def a_revision(revision: int) -> Registration:
    registration = a_registration(comments=DeviceComments(by_device={"M1": f"판 {revision}"}))
    return replace(registration, program=replace(registration.program, revision=revision))


async def draw(unit_of_work: UnitOfWork) -> int:
    async with unit_of_work.begin() as transaction:
        return await transaction.programs.draw_revision("PGM_1")


async def add_revision(unit_of_work: UnitOfWork, revision: int, *documents: Document) -> list[int]:
    async with unit_of_work.begin() as transaction:
        superseded = await transaction.programs.add_revision(a_revision(revision))
        await transaction.documents.add(documents or (of_revision(revision),))
    return list(superseded)


async def promote(unit_of_work: UnitOfWork) -> int | None:
    async with unit_of_work.begin() as transaction:
        return await transaction.programs.promote("PGM_1")


async def answering(catalogue: Catalogue) -> int:
    return (await catalogue.program("PGM_1")).program.revision


class RevisionsContract:
    """Needs the fixtures `unit_of_work` and `catalogue`, both over one record."""

    async def test_numbers_of_revisions_are_never_given_out_twice(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        assert [await draw(unit_of_work) for _ in range(3)] == [2, 3, 4]

    async def test_no_revision_is_drawn_for_a_program_that_is_not_there(self, unit_of_work: UnitOfWork) -> None:
        with pytest.raises(NotFoundError):
            await draw(unit_of_work)
        await register(unit_of_work)
        await delete(unit_of_work)
        with pytest.raises(NotFoundError):
            await draw(unit_of_work)

    async def test_the_latest_revision_tells_the_digests_of_its_files(self, unit_of_work: UnitOfWork) -> None:
        archive = a_document(0, document_type=DocumentType.LADDER_ZIP, sha256="aa" * 32)
        await register(unit_of_work, archive, a_document(1))
        async with unit_of_work.begin() as transaction:
            latest = await transaction.programs.latest("PGM_1")
        assert (latest.revision, latest.sha256) == (1, {DocumentType.LADDER_ZIP: "aa" * 32})
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        async with unit_of_work.begin() as transaction:
            latest = await transaction.programs.latest("PGM_1")
        assert (latest.revision, latest.sha256) == (2, {})
        assert latest.program.revision == 1
        assert latest.program.create_dt == CREATED

    async def test_the_old_revision_answers_until_all_of_the_new_one_is_indexed(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        old, new = a_document(), [of_revision(2, ordinal) for ordinal in range(2)]
        await register(unit_of_work, old)
        await mark_indexed(unit_of_work, indexed(old))
        await draw(unit_of_work)
        assert await add_revision(unit_of_work, 2, *new) == []
        await mark_indexed(unit_of_work, indexed(new[0]))
        assert await promote(unit_of_work) is None
        chunks = ["PGM_1.r1.0.g1.0", "PGM_1.r2.0.g1.0", "PGM_1.r2.1.g1.0"]
        assert set(await catalogue.visible_chunks(chunks)) == {chunks[0]}
        await mark_indexed(unit_of_work, indexed(new[1]))
        assert set(await catalogue.visible_chunks(chunks)) == {chunks[0]}
        assert await promote(unit_of_work) == 1
        assert set(await catalogue.visible_chunks(chunks)) == {chunks[1], chunks[2]}
        assert await promote(unit_of_work) is None

    async def test_a_document_that_has_nothing_to_index_holds_no_revision_back(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2, of_revision(2, state=DocumentState.SKIPPED))
        assert await promote(unit_of_work) == 1
        assert await answering(catalogue) == 2

    async def test_a_failed_document_holds_its_revision_back(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        new = of_revision(2)
        await add_revision(unit_of_work, 2, new)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_failed([(new.ref, Failure(code="storage_corrupt", message="bits"))])
            assert await transaction.programs.promote("PGM_1") is None
        assert await answering(catalogue) == 1
        assert [each.document_id for each in await catalogue.failures("PGM_1", limit=9)] == [new.document_id]

    async def test_what_waits_is_shown_beside_what_answers(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        assert (await catalogue.program("PGM_1")).pending is None
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2, of_revision(2), of_revision(2, 1))
        view = await catalogue.program("PGM_1")
        assert (view.program.revision, view.progress.total) == (1, 1)
        assert view.pending
        assert (view.pending.revision, view.pending.progress.counts) == (2, {DocumentState.PENDING: 2})
        assert view.latest == view.pending
        assert (await catalogue.programs(limit=1)).items == (view,)

    async def test_documents_are_listed_by_revision_and_readable_before_they_answer(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        new = [of_revision(2, ordinal) for ordinal in range(3)]
        await add_revision(unit_of_work, 2, *new)
        assert (await catalogue.documents("PGM_1", limit=9)).items == (a_document(),)
        first = await catalogue.documents("PGM_1", limit=2, revision=2)
        rest = await catalogue.documents("PGM_1", limit=2, revision=2, cursor=first.next_cursor)
        assert (*first.items, *rest.items) == tuple(new)
        assert await catalogue.document(new[0].document_id) == new[0]
        with pytest.raises(NotFoundError):
            await catalogue.documents("PGM_1", limit=9, revision=3)

    async def test_a_listing_does_not_go_on_in_the_revision_that_answers_meanwhile(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, *(a_document(ordinal) for ordinal in range(3)))
        first = await catalogue.documents("PGM_1", limit=2)
        assert len((await catalogue.documents("PGM_1", limit=2, cursor=first.next_cursor)).items) == 1
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2, *(of_revision(2, n, state=DocumentState.SKIPPED) for n in range(3)))
        await promote(unit_of_work)
        assert await answering(catalogue) == 2
        with pytest.raises(InvalidRequestError) as caught:
            await catalogue.documents("PGM_1", limit=2, cursor=first.next_cursor)
        assert caught.value.field == "cursor"
        second = await catalogue.documents("PGM_1", limit=2)
        rest = await catalogue.documents("PGM_1", limit=2, cursor=second.next_cursor)
        assert [each.revision for each in (*second.items, *rest.items)] == [2, 2, 2]

    async def test_a_revision_that_waits_is_superseded_by_the_next(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        for _ in range(2):
            await draw(unit_of_work)
        assert await add_revision(unit_of_work, 2) == []
        assert await add_revision(unit_of_work, 3) == [2]
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.begin_indexing([of_revision(2).ref]) == []
            assert await transaction.documents.mark_indexed([indexed(of_revision(2))]) == frozenset()
            assert await transaction.documents.superseded("PGM_1", 2) == [of_revision(2).ref]
            assert await transaction.documents.superseded("PGM_1", 3) == []
            assert await transaction.documents.superseded("PGM_1", 1) == []
        with pytest.raises(NotFoundError):
            await catalogue.document(of_revision(2).document_id)

    async def test_one_that_comes_after_a_later_one_is_superseded_at_once(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        for _ in range(2):
            await draw(unit_of_work)
        assert await add_revision(unit_of_work, 3) == []
        assert await add_revision(unit_of_work, 2) == [2]
        view = await catalogue.program("PGM_1")
        assert view.latest.revision == 3

    async def test_a_revision_is_recorded_once_and_only_of_a_program_that_lives(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        with pytest.raises(ConflictError):
            await add_revision(unit_of_work, 2)
        await delete(unit_of_work)
        with pytest.raises(NotFoundError):
            await add_revision(unit_of_work, 3)

    async def test_template_and_comments_are_those_of_the_revision(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        async with unit_of_work.begin() as transaction:
            assert await transaction.programs.comments_of("PGM_1", 2) == a_revision(2).comments
            assert await transaction.programs.comments_of("PGM_1", 1) == a_registration().comments
            assert await transaction.programs.template_of("PGM_1", 2) == a_revision(2).template
            await transaction.documents.mark_indexed([indexed(of_revision(2))])
            assert not await transaction.programs.is_gone("PGM_1", 1)
            await transaction.programs.promote("PGM_1")
            assert await transaction.programs.is_gone("PGM_1", 1)
            assert not await transaction.programs.is_gone("PGM_1", 2)
            assert not await transaction.programs.is_gone("PGM_1", 3)
            with pytest.raises(NotFoundError):
                await transaction.programs.comments_of("PGM_1", 1)
            with pytest.raises(NotFoundError):
                await transaction.programs.template_of("PGM_1", 1)
        assert await catalogue.template("PGM_1") != Template()

    async def test_a_purge_takes_a_superseded_revision_and_nothing_else(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        await mark_indexed(unit_of_work, indexed(a_document()))
        for _ in range(2):
            await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        await add_revision(unit_of_work, 3)
        for revision in (1, 2, 2, 3, 4):
            async with unit_of_work.begin() as transaction:
                await transaction.programs.purge_revision("PGM_1", revision)
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.superseded("PGM_1", 2) == []
        assert (await catalogue.document(a_document().document_id)).revision == 1
        assert (await catalogue.document(of_revision(3).document_id)).revision == 3
        assert set(await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"])) == {"PGM_1.r1.0.g1.0"}

    async def test_a_delete_takes_every_revision(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        await delete(unit_of_work)
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.current([a_document().ref, of_revision(2).ref]) == frozenset()
            assert await transaction.programs.promote("PGM_1") is None
            await transaction.programs.purge("PGM_1")
            assert await transaction.documents.superseded("PGM_1", 2) == []
        with pytest.raises(NotFoundError):
            await catalogue.document(of_revision(2).document_id)

    async def test_an_index_must_hold_what_will_answer_too(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.begin(KEY)
        await register(unit_of_work, a_document())
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2)
        await mark_indexed(unit_of_work, indexed(a_document(), a_chunk()), indexed(of_revision(2), a_chunk()))
        assert (await catalogue.index(KEY)).total == 2
        async with unit_of_work.begin() as transaction:
            lacking = await transaction.indexes.lacking(KEY, limit=9)
        assert [document.document_id for document in lacking] == ["PGM_1.r1.0", "PGM_1.r2.0"]

    async def test_texts_that_are_embedded_are_told_by_logic_in_any_revision(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document(0, logic_id="L1"), a_document(1, logic_id="L2"))
        await draw(unit_of_work)
        await add_revision(unit_of_work, 2, of_revision(2, logic_id="L1"))
        texts = [a_chunk(number, dense_text=f"렁 {number}") for number in range(4)]
        work = [
            indexed(a_document(0), replace(texts[0], ordinal=0), replace(texts[1], ordinal=1)),
            indexed(a_document(1), replace(texts[2], ordinal=0)),
            indexed(of_revision(2), replace(texts[3], ordinal=0)),
        ]
        await mark_indexed(unit_of_work, *work)
        async with unit_of_work.begin() as transaction:
            found = await transaction.documents.embedded_texts(
                "PGM_1", ["L1", "absent"], rendering_version=work[0].rendering_version
            )
            assert await transaction.documents.embedded_texts("PGM_1", ["L1"], rendering_version=99) == {}
            assert await transaction.documents.embedded_texts("PGM_2", ["L1"], rendering_version=2) == {}
        assert found == {
            texts[0].dense_digest: "PGM_1.r1.0.g1.0",
            texts[1].dense_digest: "PGM_1.r1.0.g1.1",
            texts[3].dense_digest: "PGM_1.r2.0.g1.0",
        }

    async def test_numbers_of_revisions_may_be_left_out(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document())
        async with unit_of_work.begin() as transaction:
            drawn = [await transaction.programs.draw_revision("PGM_1", skip=skip) for skip in (0, 3, 0)]
        assert drawn == [2, 6, 7]
