"""What every IndexRegistry promises; read back through the same record."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.records import a_chunk, a_document, delete, indexed, mark_indexed, register
from domain.document import DocumentRef, DocumentState
from domain.errors import UnavailableError
from domain.index_key import IndexKey
from domain.ports.catalogue import Catalogue, IndexView
from domain.ports.embedder import EmbeddingModel
from domain.ports.index_registry import RegisteredIndex
from domain.ports.unit_of_work import Transaction, UnitOfWork

OLD = IndexKey(model=EmbeddingModel(name="모델/가", dimension=512), rendering_version=2)
NEW = IndexKey(model=EmbeddingModel(name="model-b", dimension=64), rendering_version=2)
RENDERED_ANEW = replace(OLD, rendering_version=3)
BUILDER, ANOTHER = "0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f01", "0b5e7a0c-6d6f-4a3e-9a54-0d7c6b0a1f02"
LEASE = timedelta(minutes=2)


class IndexRegistryContract:
    """Needs the fixtures `unit_of_work`, `catalogue` and `time_passes`, all over one record."""

    async def test_nothing_is_current_at_first(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        async with unit_of_work.begin() as transaction:
            assert await transaction.indexes.current() is None
        assert await catalogue.index(OLD) == IndexView(is_complete=False)

    async def test_the_first_to_adopt_becomes_current_and_is_complete(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        adopted = await adopt(unit_of_work, OLD)
        assert adopted == RegisteredIndex(key=OLD, is_current=True, is_complete=True, holds_chunks=False)
        assert await adopt(unit_of_work, NEW) == adopted
        assert await adopt(unit_of_work, OLD) == adopted
        async with unit_of_work.begin() as transaction:
            assert await transaction.indexes.current() == adopted
        assert await catalogue.index(OLD) == IndexView(is_complete=True)
        assert not (await catalogue.index(NEW)).is_complete

    async def test_what_was_indexed_before_any_index_was_known_is_lacking(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await indexed_program(unit_of_work, 3)
        assert not (await adopt(unit_of_work, OLD)).is_complete
        assert await lacking(unit_of_work, OLD) == refs(3)
        assert await catalogue.index(OLD) == IndexView(is_complete=False, held=0, total=3)

    async def test_what_was_begun_is_adopted_where_there_is_no_other(self, unit_of_work: UnitOfWork) -> None:
        async with unit_of_work.begin() as transaction:
            begun = await transaction.indexes.begin(NEW)
        assert begun == RegisteredIndex(key=NEW, is_current=False, is_complete=False, holds_chunks=False)
        assert await adopt(unit_of_work, NEW) == replace(begun, is_current=True)

    async def test_beginning_again_changes_nothing(self, unit_of_work: UnitOfWork) -> None:
        adopted = await adopt(unit_of_work, OLD)
        async with unit_of_work.begin() as transaction:
            assert await transaction.indexes.begin(OLD) == adopted

    async def test_only_the_current_index_can_be_held_current(self, unit_of_work: UnitOfWork) -> None:
        with pytest.raises(UnavailableError):
            await hold(unit_of_work, OLD)
        await adopt(unit_of_work, OLD)
        await hold(unit_of_work, OLD)
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.begin(NEW)
        with pytest.raises(UnavailableError):
            await hold(unit_of_work, NEW)

    async def test_documents_that_are_recorded_are_not_lacking(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await indexed_program(unit_of_work, 3)
        await adopt(unit_of_work, OLD)
        await record(unit_of_work, OLD, *refs(2))
        await record(unit_of_work, OLD, *refs(2))
        assert await lacking(unit_of_work, OLD) == refs(3)[2:]
        assert await catalogue.index(OLD) == IndexView(is_complete=False, held=2, total=3)
        assert (await adopt(unit_of_work, OLD)).holds_chunks

    async def test_recording_nothing_is_no_error(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        await record(unit_of_work, OLD)

    async def test_a_document_of_another_generation_is_lacking(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 1)
        await record(unit_of_work, OLD, DocumentRef(document_id="PGM_1.r1.0", generation=7))
        assert await lacking(unit_of_work, OLD) == refs(1)
        await record(unit_of_work, OLD, *refs(1))
        assert await lacking(unit_of_work, OLD) == []

    async def test_only_indexed_documents_of_living_programs_can_be_lacking(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        await register(unit_of_work, a_document(0), a_document(1, state=DocumentState.SKIPPED))
        await indexed_program(unit_of_work, 2, pgm_id="PGM_2")
        await delete(unit_of_work, "PGM_2")
        assert await lacking(unit_of_work, OLD) == []

    async def test_the_newest_program_comes_first_and_as_many_as_asked_for(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 2, pgm_id="PGM_9")
        await indexed_program(unit_of_work, 2, pgm_id="PGM_10")
        async with unit_of_work.begin() as transaction:
            found = await transaction.indexes.lacking(OLD, limit=3)
        assert [document.document_id for document in found] == ["PGM_10.r1.0", "PGM_10.r1.1", "PGM_9.r1.0"]

    async def test_an_index_that_lacks_something_is_not_completed(self, unit_of_work: UnitOfWork) -> None:
        before = await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 2)
        await begin(unit_of_work, NEW)
        await record(unit_of_work, NEW, *refs(1))
        assert not await complete(unit_of_work, NEW)
        async with unit_of_work.begin() as transaction:
            assert await transaction.indexes.current() == before

    async def test_one_that_lacks_nothing_takes_the_place_of_the_current_one(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 2)
        await begin(unit_of_work, NEW)
        await record(unit_of_work, NEW, *refs(2))
        assert await complete(unit_of_work, NEW)
        assert (await adopt(unit_of_work, OLD)).key == NEW
        with pytest.raises(UnavailableError):
            await hold(unit_of_work, OLD)
        await hold(unit_of_work, NEW)
        # Processes of the old model go on answering from the old index until they are replaced.
        assert (await catalogue.index(OLD)).is_complete
        assert (await catalogue.index(NEW)).is_complete
        assert await complete(unit_of_work, NEW)

    async def test_a_lost_index_holds_nothing_and_is_not_complete(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 1)
        await record(unit_of_work, OLD, *refs(1))
        async with unit_of_work.begin() as transaction:
            assert await held_by(transaction, OLD) == {a_document().ref: 2}
            await transaction.indexes.lost(OLD)
            assert await held_by(transaction, OLD) == {}
        assert await adopt(unit_of_work, OLD) == RegisteredIndex(
            key=OLD, is_current=True, is_complete=False, holds_chunks=False
        )
        assert await lacking(unit_of_work, OLD) == refs(1)
        await hold(unit_of_work, OLD)  # new documents may be indexed while it is built again
        assert await catalogue.index(OLD) == IndexView(is_complete=False, held=0, total=1)

    async def test_what_is_held_is_read_page_by_page(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 5)
        await record(unit_of_work, OLD, *refs(4))
        async with unit_of_work.begin() as transaction:
            first = await transaction.indexes.held(OLD, after="", limit=3)
            rest = await transaction.indexes.held(OLD, after=first[-1].ref.document_id, limit=3)
        assert [document.ref for document in (*first, *rest)] == sorted(refs(4), key=lambda ref: ref.document_id)

    async def test_a_document_that_is_forgotten_is_lacking_at_just_that_generation(
        self, unit_of_work: UnitOfWork
    ) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 3)
        await record(unit_of_work, OLD, *refs(3))
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.forget(OLD, [refs(1)[0], replace(refs(2)[1], generation=7)])
            await transaction.indexes.forget(NEW, refs(3))
        assert await lacking(unit_of_work, OLD) == refs(1)

    async def test_an_index_that_nobody_knows_is_neither_lost_nor_completed(self, unit_of_work: UnitOfWork) -> None:
        await adopt(unit_of_work, OLD)
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.lost(NEW)
            assert not await transaction.indexes.complete(NEW)
        await hold(unit_of_work, OLD)

    async def test_one_builder_at_a_time_until_it_falls_silent(
        self, unit_of_work: UnitOfWork, time_passes: Callable[[timedelta], Awaitable[None]]
    ) -> None:
        await begin(unit_of_work, NEW)
        assert await take(unit_of_work, BUILDER)
        assert await take(unit_of_work, BUILDER)
        assert not await take(unit_of_work, ANOTHER)
        await time_passes(LEASE + timedelta(seconds=1))
        assert await take(unit_of_work, ANOTHER)
        assert not await take(unit_of_work, BUILDER)

    async def test_a_completed_index_has_no_builder(self, unit_of_work: UnitOfWork) -> None:
        await begin(unit_of_work, NEW)
        assert await take(unit_of_work, BUILDER)
        assert await complete(unit_of_work, NEW)
        assert await take(unit_of_work, ANOTHER)

    async def test_two_renderings_of_a_document_stand_side_by_side(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await indexed_program(unit_of_work, 1)
        await begin(unit_of_work, RENDERED_ANEW)
        anew = replace(indexed(a_document(), a_chunk(0, title="새로")), rendering_version=3)
        for _ in range(2):
            async with unit_of_work.begin() as transaction:
                assert await transaction.documents.add_rendering([anew]) == {a_document().ref}
                await transaction.indexes.record(RENDERED_ANEW, refs(1))
                assert await held_by(transaction, RENDERED_ANEW) == {a_document().ref: 1}
        asked = ["PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1"]
        old = await catalogue.visible_chunks(asked, rendering_version=2)
        new = await catalogue.visible_chunks(asked, rendering_version=3)
        assert {name: chunk.title for name, chunk in old.items()} == dict.fromkeys(asked, "컨베이어 정지")
        assert {name: chunk.title for name, chunk in new.items()} == {asked[0]: "새로"}

    async def test_a_rendering_is_added_to_indexed_documents_alone(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document(0), a_document(1))
        await mark_indexed(unit_of_work, indexed(a_document(1)))
        await register(unit_of_work, a_document(pgm_id="PGM_2"), pgm_id="PGM_2")
        await mark_indexed(unit_of_work, indexed(a_document(pgm_id="PGM_2")))
        await delete(unit_of_work, "PGM_2")
        offered = [a_document(0), a_document(1), a_document(1, generation=2), a_document(pgm_id="PGM_2")]
        async with unit_of_work.begin() as transaction:
            added = await transaction.documents.add_rendering([indexed(document) for document in offered])
        assert added == {a_document(1).ref}
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"]) == {}

    async def test_indexing_a_document_anew_replaces_its_old_renderings(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await indexed_program(unit_of_work, 1)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.add_rendering([replace(indexed(a_document()), rendering_version=3)])
            (restarted,) = await transaction.documents.restart(refs(1))
        assert restarted == DocumentRef(document_id="PGM_1.r1.0", generation=2)
        assert await catalogue.document("PGM_1.r1.0") == a_document(generation=2)
        await mark_indexed(unit_of_work, indexed(a_document(generation=2)))
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"], rendering_version=3) == {}
        assert len(await catalogue.visible_chunks(["PGM_1.r1.0.g2.0"])) == 1

    async def test_what_is_stale_or_deleted_is_not_restarted(self, unit_of_work: UnitOfWork) -> None:
        await indexed_program(unit_of_work, 1)
        await delete(unit_of_work, "PGM_1")
        async with unit_of_work.begin() as transaction:
            assert await transaction.documents.restart(refs(1)) == []
            assert await transaction.documents.restart([]) == []

    async def test_the_others_are_forgotten_with_their_renderings(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_program(unit_of_work, 1)
        await record(unit_of_work, OLD, *refs(1))
        await begin(unit_of_work, RENDERED_ANEW)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.add_rendering([replace(indexed(a_document()), rendering_version=3)])
            await transaction.indexes.record(RENDERED_ANEW, refs(1))
        assert await complete(unit_of_work, RENDERED_ANEW)
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.forget_others(RENDERED_ANEW)
        assert not (await catalogue.index(OLD)).is_complete
        assert await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"], rendering_version=2) == {}
        assert len(await catalogue.visible_chunks(["PGM_1.r1.0.g1.0"], rendering_version=3)) == 1
        assert (await adopt(unit_of_work, OLD)).key == RENDERED_ANEW


def refs(count: int) -> list[DocumentRef]:
    return [a_document(ordinal).ref for ordinal in range(count)]


async def indexed_program(unit_of_work: UnitOfWork, documents: int, *, pgm_id: str = "PGM_1") -> None:
    """A program whose documents are indexed with two chunks each."""
    made = [a_document(ordinal, pgm_id=pgm_id) for ordinal in range(documents)]
    await register(unit_of_work, *made, pgm_id=pgm_id)
    await mark_indexed(unit_of_work, *(indexed(document, a_chunk(0), a_chunk(1)) for document in made))


async def adopt(unit_of_work: UnitOfWork, key: IndexKey) -> RegisteredIndex:
    async with unit_of_work.begin() as transaction:
        return await transaction.indexes.adopt(key)


async def begin(unit_of_work: UnitOfWork, key: IndexKey) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.begin(key)


async def hold(unit_of_work: UnitOfWork, key: IndexKey) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.hold_current(key)


async def record(unit_of_work: UnitOfWork, key: IndexKey, *documents: DocumentRef) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.indexes.record(key, documents)


async def lacking(unit_of_work: UnitOfWork, key: IndexKey) -> list[DocumentRef]:
    async with unit_of_work.begin() as transaction:
        return [document.ref for document in await transaction.indexes.lacking(key, limit=100)]


async def complete(unit_of_work: UnitOfWork, key: IndexKey) -> bool:
    async with unit_of_work.begin() as transaction:
        return await transaction.indexes.complete(key)


async def take(unit_of_work: UnitOfWork, builder: str) -> bool:
    async with unit_of_work.begin() as transaction:
        return await transaction.indexes.take_building(NEW, builder=builder, lease=LEASE)


async def held_by(transaction: Transaction, key: IndexKey) -> dict[DocumentRef, int]:
    return {each.ref: each.chunk_count for each in await transaction.indexes.held(key, after="", limit=99)}
