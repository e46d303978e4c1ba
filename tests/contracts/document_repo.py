"""What every DocumentRepo promises; read back through the catalogue of the same record."""

import pytest

from contracts.records import a_chunk, a_document, delete, indexed, mark_indexed, register
from domain.chunk import Chunk, DeviceUse
from domain.document import Document, DocumentRef, DocumentState, Failure
from domain.errors import ConflictError, InvalidRequestError, NotFoundError
from domain.ports.catalogue import Catalogue
from domain.ports.document_repo import IndexedDocument
from domain.ports.unit_of_work import UnitOfWork

FAILURE = Failure(code="csv_invalid", message="7행: 명령이 없음")


class DocumentRepoContract:
    """Needs the fixtures `unit_of_work` and `catalogue`, both over one record."""

    @pytest.mark.parametrize(
        "document",
        [
            a_document(),
            a_document(member=None, ladder=None, logic_id="", state=DocumentState.SKIPPED),
            a_document(document_name="ﾗﾀﾞｰ・搬送👷‍♀️'\"\\.csv", generation=3),
            a_document(state=DocumentState.FAILED, failure=FAILURE),
        ],
    )
    async def test_a_document_comes_back_as_it_went_in(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue, document: Document
    ) -> None:
        await register(unit_of_work, document)
        assert await catalogue.document(document.document_id) == document

    async def test_thousands_of_documents_are_recorded_at_once(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, *(a_document(ordinal) for ordinal in range(5_000)))
        assert (await catalogue.program("PGM_1")).progress.counts == {DocumentState.PENDING: 5_000}

    async def test_a_document_is_recorded_once(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document())
        with pytest.raises(ConflictError):
            async with unit_of_work.begin() as transaction:
                await transaction.documents.add([a_document(logic_name="other")])

    async def test_a_document_without_its_program_is_refused(self, unit_of_work: UnitOfWork) -> None:
        with pytest.raises(ConflictError):
            async with unit_of_work.begin() as transaction:
                await transaction.documents.add([a_document()])

    @pytest.mark.parametrize("name", ["a\0b.csv", "a\ud800b.csv"])
    async def test_text_that_cannot_be_kept_is_refused(self, unit_of_work: UnitOfWork, name: str) -> None:
        with pytest.raises(InvalidRequestError) as caught:
            await register(unit_of_work, a_document(document_name=name))
        assert caught.value.code == "text_invalid"

    async def test_beginning_returns_the_documents_in_order(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        documents = [a_document(2, document_id="a"), a_document(0, document_id="b"), a_document(1, document_id="c")]
        await register(unit_of_work, *documents)
        begun = await begin(unit_of_work, *(document.ref for document in documents))
        assert [document.document_id for document in begun] == ["b", "c", "a"]
        assert {document.state for document in begun} == {DocumentState.INDEXING}
        assert (await catalogue.document("a")).state is DocumentState.INDEXING

    async def test_a_document_whose_worker_died_is_begun_again(self, unit_of_work: UnitOfWork) -> None:
        document = a_document(state=DocumentState.INDEXING)
        await register(unit_of_work, document)
        assert await begin(unit_of_work, document.ref) == [document]

    @pytest.mark.parametrize("state", [DocumentState.INDEXED, DocumentState.FAILED, DocumentState.SKIPPED])
    async def test_a_terminal_document_is_not_begun(self, unit_of_work: UnitOfWork, state: DocumentState) -> None:
        failure = FAILURE if state is DocumentState.FAILED else None
        document = a_document(state=state, failure=failure)
        await register(unit_of_work, document)
        assert await begin(unit_of_work, document.ref) == []

    async def test_an_unknown_or_stale_reference_is_not_begun(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document(generation=3))
        unknown = DocumentRef(document_id="nowhere", generation=1)
        assert await begin(unit_of_work, a_document(generation=2).ref, a_document(generation=4).ref, unknown) == []

    async def test_marking_indexed_makes_the_chunks_visible(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document, a_chunk(0), a_chunk(1, first_step=None, last_step=None)))
        stored = await catalogue.document(document.document_id)
        assert (stored.state, stored.chunk_count) == (DocumentState.INDEXED, 2)
        assert stored.indexed_dt is not None
        assert len(await catalogue.visible_chunks(["PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1"])) == 2

    async def test_marking_indexed_may_be_repeated_with_fewer_chunks(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document, a_chunk(0), a_chunk(1)))
        await mark_indexed(unit_of_work, indexed(document, a_chunk(0, title="다시")))
        visible = await catalogue.visible_chunks(["PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1"])
        assert {name: chunk.title for name, chunk in visible.items()} == {"PGM_1.r1.0.g1.0": "다시"}
        assert (await catalogue.document(document.document_id)).chunk_count == 1

    async def test_a_document_without_chunks_is_indexed_too(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        async with unit_of_work.begin() as transaction:
            empty = IndexedDocument(ref=document.ref, chunks=())
            assert await transaction.documents.mark_indexed([empty]) == {document.ref}
        assert (await catalogue.document(document.document_id)).state is DocumentState.INDEXED

    async def test_thousands_of_chunks_are_recorded_at_once(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        documents = [a_document(ordinal) for ordinal in range(64)]
        await register(unit_of_work, *documents)
        chunks = [a_chunk(ordinal) for ordinal in range(63)]
        await mark_indexed(unit_of_work, *(indexed(document, *chunks) for document in documents))
        names = [f"PGM_1.r1.{document.ordinal}.g1.{chunk.ordinal}" for document in documents for chunk in chunks]
        assert len(await catalogue.visible_chunks(names)) == 64 * 63

    @pytest.mark.parametrize(
        "chunk",
        [
            a_chunk(title="a\0b"),
            a_chunk(devices=(DeviceUse(device="M1", comment="a\0b"),)),
            a_chunk(devices=(DeviceUse(device="M1", comment="a\ud800b"),)),
        ],
    )
    async def test_a_chunk_whose_text_cannot_be_kept_is_refused(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue, chunk: Chunk
    ) -> None:
        await register(unit_of_work, a_document())
        with pytest.raises(InvalidRequestError):
            await mark_indexed(unit_of_work, indexed(a_document(), chunk))
        assert (await catalogue.document(a_document().document_id)).state is DocumentState.PENDING

    async def test_a_stale_generation_is_refused(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work, a_document(0, generation=2), a_document(1))
        async with unit_of_work.begin() as transaction:
            current = await transaction.documents.mark_indexed([indexed(a_document(0)), indexed(a_document(1))])
            await transaction.documents.mark_failed([(a_document(0).ref, FAILURE)])
            await transaction.documents.move_to_own_blob(a_document(0).ref, "elsewhere")
        assert current == {a_document(1).ref}
        assert await catalogue.document("PGM_1.r1.0") == a_document(0, generation=2)

    async def test_a_deleted_program_refuses_what_its_worker_still_brings(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await delete(unit_of_work)
        raised = DocumentRef(document_id=document.document_id, generation=2)
        for ref in (document.ref, raised):
            assert await begin(unit_of_work, ref) == []
            async with unit_of_work.begin() as transaction:
                late = indexed(a_document(generation=ref.generation))
                assert await transaction.documents.mark_indexed([late]) == frozenset()
                assert await transaction.documents.current([ref]) == frozenset()
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0", "PGM_1.r1.0.g2.0"]) == {}

    async def test_current_references_are_told_from_stale_ones(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document(0), a_document(1, generation=2, state=DocumentState.SKIPPED))
        asked = [a_document(0).ref, a_document(1).ref, a_document(1, generation=2).ref, a_document(5).ref]
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.current(asked) == {asked[0], asked[2]}

    async def test_a_failure_is_recorded_with_its_reason(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        documents = [a_document(0), a_document(1)]
        await register(unit_of_work, *documents)
        other = Failure(code="resource_limit", message="시간 초과")
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_failed([(documents[0].ref, FAILURE), (documents[1].ref, other)])
        failed = await catalogue.failures("PGM_1", limit=10)
        assert [(document.state, document.failure) for document in failed] == [
            (DocumentState.FAILED, FAILURE),
            (DocumentState.FAILED, other),
        ]

    async def test_what_is_indexed_does_not_fail_afterwards(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        await mark_indexed(unit_of_work, indexed(document))
        async with unit_of_work.begin() as transaction:
            await transaction.documents.mark_failed([(document.ref, FAILURE)])
        assert (await catalogue.document(document.document_id)).state is DocumentState.INDEXED

    async def test_a_document_moves_to_a_blob_of_its_own(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        document = a_document()
        await register(unit_of_work, document)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.move_to_own_blob(document.ref, "programs/PGM_1/r1/ladder_files/0000_0.csv")
        moved = await catalogue.document(document.document_id)
        assert (moved.blob_key, moved.member) == ("programs/PGM_1/r1/ladder_files/0000_0.csv", None)

    async def test_documents_are_restarted_from_every_state(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        documents = [
            a_document(ordinal, state=state, failure=FAILURE if state is DocumentState.FAILED else None)
            for ordinal, state in enumerate(DocumentState)
        ]
        await register(unit_of_work, *documents)
        async with unit_of_work.begin() as transaction:
            restarted = await transaction.documents.restart([document.ref for document in documents])
        assert [ref.generation for ref in restarted] == [2] * len(documents)
        assert {(await catalogue.document(ref.document_id)).state for ref in restarted} == {DocumentState.PENDING}

    async def test_only_documents_in_the_states_asked_for_are_restarted(self, unit_of_work: UnitOfWork) -> None:
        failed = a_document(1, state=DocumentState.FAILED, failure=FAILURE)
        await register(unit_of_work, a_document(0), failed)
        async with unit_of_work.begin() as transaction:
            refs = [a_document(0).ref, failed.ref]
            restarted = await transaction.documents.restart(refs, states={DocumentState.FAILED})
        assert [ref.document_id for ref in restarted] == [failed.document_id]

    async def test_the_documents_of_a_program_come_in_ordinal_order(self, unit_of_work: UnitOfWork) -> None:
        documents = [a_document(ordinal, generation=ordinal + 1) for ordinal in range(12)]
        await register(unit_of_work, *reversed(documents))
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        await register(unit_of_work, pgm_id="PGM_3")
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.of_program("PGM_1") == documents
            assert await transaction.documents.of_program("PGM_3") == []

    async def test_a_deleted_program_has_no_documents_to_give(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document())
        await delete(unit_of_work)
        for pgm_id in ("PGM_1", "PGM_9"):
            with pytest.raises(NotFoundError):
                async with unit_of_work.begin() as transaction:
                    await transaction.documents.of_program(pgm_id)

    async def test_nothing_is_asked_of_no_documents(self, unit_of_work: UnitOfWork) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.documents.add([])
            await transaction.documents.mark_failed([])
            assert await transaction.documents.begin_indexing([]) == []
            assert await transaction.documents.current([]) == frozenset()
            assert await transaction.documents.mark_indexed([]) == frozenset()


async def begin(unit_of_work: UnitOfWork, *refs: DocumentRef) -> list[Document]:
    async with unit_of_work.begin() as transaction:
        return await transaction.documents.begin_indexing(refs)
