"""What every record promises about documents that belong to a program and to none of its revisions."""

from dataclasses import replace

import pytest

from contracts.records import a_chunk, a_document, a_registration, delete, indexed, mark_indexed, register
from domain.document import Document, DocumentRef, DocumentState, DocumentType
from domain.errors import NotFoundError, NotRemovableError, TooManyDocumentsError
from domain.ports.catalogue import Catalogue
from domain.ports.unit_of_work import UnitOfWork

PREFIX = "programs/PGM_1/d7"
FURTHER = a_document(
    1_000_007,
    document_id="PGM_1-r0-0007",
    revision=0,
    document_type=DocumentType.FURTHER,
    document_name="점검.md",
    blob_key=f"{PREFIX}/document.md",
    member=None,
    ladder=None,
    logic_id="",
    title="펌프 점검표",
    description="매월\n한 번",
)


class FurtherDocumentsContract:
    """Needs the fixtures `unit_of_work` and `catalogue`, both over one record."""

    async def test_a_further_document_comes_back_as_it_went_in(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        assert await put(unit_of_work) == (FURTHER, None)
        assert await catalogue.document(FURTHER.document_id) == FURTHER

    async def test_numbers_of_documents_are_given_out_once(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        async with unit_of_work.begin() as transaction:
            drawn = [await transaction.programs.draw_document("PGM_1", skip=skip) for skip in (0, 0, 3)]
        assert drawn == [1, 2, 6]
        with pytest.raises(NotFoundError):
            async with unit_of_work.begin() as transaction:
                await transaction.programs.draw_document("PGM_2")

    async def test_it_is_listed_behind_those_of_the_revision_and_counted_with_them(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document(0), a_document(1))
        await put(unit_of_work)
        first = await catalogue.documents("PGM_1", limit=2)
        rest = await catalogue.documents("PGM_1", limit=2, cursor=first.next_cursor)
        assert rest.items == (FURTHER,)
        assert (await catalogue.program("PGM_1")).progress.counts == {DocumentState.PENDING: 3}

    async def test_one_of_the_same_name_takes_its_id_and_its_place(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        await put(unit_of_work)
        await mark_indexed(unit_of_work, indexed(FURTHER, a_chunk()))
        before = await catalogue.document(FURTHER.document_id)
        other = replace(FURTHER, document_id="PGM_1-r0-0008", ordinal=1_000_008, sha256="cd" * 32, title="")
        recorded, gave_way = await put(unit_of_work, other)
        assert recorded == replace(other, document_id=FURTHER.document_id, ordinal=FURTHER.ordinal, generation=2)
        assert gave_way == before
        assert await catalogue.document(FURTHER.document_id) == recorded
        assert await catalogue.visible_chunks([f"{FURTHER.document_id}.g1.0"]) == {}

    async def test_a_program_has_so_many_and_no_more(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document(0))
        await register(unit_of_work, pgm_id="PGM_2")
        of_another = replace(FURTHER, pgm_id="PGM_2", document_id="PGM_2-r0-0007", blob_key="programs/PGM_2/d7/a.md")
        await put(unit_of_work, of_another, at_most=1)
        await put(unit_of_work, at_most=1)
        other = replace(FURTHER, document_id="PGM_1-r0-0008", ordinal=1_000_008, document_name="다른.md")
        with pytest.raises(TooManyDocumentsError):
            await put(unit_of_work, other, at_most=1)
        await put(unit_of_work, at_most=1)  # one of the same name is none more
        await put(unit_of_work, other, at_most=2)

    async def test_it_is_begun_with_neither_template_nor_comments(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        await put(unit_of_work)
        async with unit_of_work.begin() as transaction:
            (begun,) = await transaction.documents.begin_indexing([FURTHER.ref])
            assert not (await transaction.programs.template_of("PGM_1", begun.revision)).logics
            assert not (await transaction.programs.comments_of("PGM_1", begun.revision)).by_device

    async def test_its_chunks_are_visible_whichever_revision_answers(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document(0))
        await put(unit_of_work)
        await mark_indexed(unit_of_work, indexed(FURTHER, a_chunk()))
        async with unit_of_work.begin() as transaction:
            registration = a_registration()
            second = replace(registration, program=replace(registration.program, revision=2))
            await transaction.programs.draw_revision("PGM_1")
            await transaction.programs.add_revision(second)
            assert await transaction.programs.promote("PGM_1") == 1
            await transaction.programs.purge_revision("PGM_1", 1)
        assert await catalogue.visible_chunks([f"{FURTHER.document_id}.g1.0"])
        assert (await catalogue.documents("PGM_1", limit=9)).items[-1].document_id == FURTHER.document_id

    async def test_what_is_removed_is_unknown_at_once(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work)
        await put(unit_of_work)
        await mark_indexed(unit_of_work, indexed(FURTHER, a_chunk()))
        async with unit_of_work.begin() as transaction:
            removed = await transaction.documents.remove_further("PGM_1", FURTHER.document_id)
            assert await transaction.uploads.take_unowned(PREFIX)
        assert removed.ref == FURTHER.ref
        assert await catalogue.visible_chunks([f"{FURTHER.document_id}.g1.0"]) == {}
        with pytest.raises(NotFoundError):
            await catalogue.document(FURTHER.document_id)
        async with unit_of_work.begin() as transaction:
            assert not await transaction.documents.current([FURTHER.ref])
            assert not await transaction.documents.mark_indexed([indexed(FURTHER, a_chunk())])

    async def test_its_prefix_is_owned_as_long_as_it_is_there(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        await put(unit_of_work)
        async with unit_of_work.begin() as transaction:
            assert not await transaction.uploads.take_unowned(PREFIX)

    async def test_only_a_further_document_of_that_program_is_removed(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document(0))
        await register(unit_of_work, pgm_id="PGM_2")
        await put(unit_of_work)
        with pytest.raises(NotRemovableError):
            await remove(unit_of_work, "PGM_1", a_document(0).document_id)
        for pgm_id, document_id in [("PGM_2", FURTHER.document_id), ("PGM_9", "x"), ("PGM_1", "x")]:
            with pytest.raises(NotFoundError):
                await remove(unit_of_work, pgm_id, document_id)

    async def test_it_goes_with_its_program(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work)
        await put(unit_of_work)
        await delete(unit_of_work)
        with pytest.raises(NotFoundError):
            await put(unit_of_work)
        with pytest.raises(NotFoundError):
            await catalogue.document(FURTHER.document_id)
        async with unit_of_work.begin() as transaction:
            assert not await transaction.documents.current([DocumentRef(document_id=FURTHER.document_id, generation=2)])
            await transaction.programs.purge("PGM_1")
            assert await transaction.uploads.take_unowned(PREFIX)


async def put(
    unit_of_work: UnitOfWork, document: Document = FURTHER, *, at_most: int = 9
) -> tuple[Document, Document | None]:
    async with unit_of_work.begin() as transaction:
        return await transaction.documents.put_further(document, at_most=at_most)


async def remove(unit_of_work: UnitOfWork, pgm_id: str, document_id: str) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.documents.remove_further(pgm_id, document_id)
