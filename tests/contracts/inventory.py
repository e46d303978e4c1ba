"""What every Inventory promises; written through the unit of work of the same record."""

from collections.abc import Sequence
from dataclasses import replace

from contracts.index_registry import NEW, OLD, RENDERED_ANEW, adopt
from contracts.records import (
    a_chunk,
    a_document,
    delete,
    documents_registered,
    indexed,
    mark_indexed,
    program_deleted,
    register,
)
from domain.document import DocumentState
from domain.ladder.instruction import Instruction
from domain.ports.inventory import Inventory, StockedDocument
from domain.ports.unit_of_work import UnitOfWork
from domain.uses import uses_of


class InventoryContract:
    """Needs the fixtures `inventory` and `unit_of_work`, over one record."""

    async def test_documents_come_page_by_page_in_the_order_of_their_ids(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        await register(unit_of_work, *(a_document(ordinal) for ordinal in (2, 0, 1)))
        await register(unit_of_work, a_document(0, pgm_id="PGM_2"), pgm_id="PGM_2")
        first = await inventory.documents(OLD, after="", limit=3)
        assert ids(first) == ["PGM_1.r1.0", "PGM_1.r1.1", "PGM_1.r1.2"]
        assert ids(await inventory.documents(OLD, after="PGM_1.r1.2", limit=3)) == ["PGM_2.r1.0"]
        assert await inventory.documents(OLD, after="PGM_2.r1.0", limit=3) == []

    async def test_a_document_is_shown_with_what_is_recorded_of_it(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        await adopt(unit_of_work, OLD)
        pending, done = a_document(0, generation=3), a_document(1)
        await register(unit_of_work, pending, done)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.add([documents_registered(pending)])
            await transaction.documents.mark_indexed([indexed(done, a_chunk(0), a_chunk(1))])
            await transaction.indexes.record(OLD, [done.ref])
        first, second = await inventory.these(OLD, [done.document_id, "nobody", pending.document_id])
        assert first == StockedDocument(document=pending, chunk_rows=0, is_held=False, is_due=True, is_moving=True)
        assert (second.chunk_rows, second.document.chunk_count) == (2, 2)
        assert (second.is_held, second.is_due, second.is_moving) == (True, False, False)

    async def test_only_the_current_and_complete_index_ought_to_hold_what_it_does_not(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        await adopt(unit_of_work, OLD)
        await indexed_document(unit_of_work)
        assert await is_due(inventory) == {OLD: True, NEW: False}
        async with unit_of_work.begin() as transaction:
            await transaction.indexes.lost(OLD)
        assert await is_due(inventory) == {OLD: False, NEW: False}

    async def test_an_event_moves_what_it_names_until_it_is_done(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        document = a_document()
        await register(unit_of_work, document)
        assert not await is_moving(inventory)
        async with unit_of_work.begin() as transaction:
            other = a_document(generation=2)
            [_, purge, event_id] = await transaction.outbox.add(
                [documents_registered(other), program_deleted(), documents_registered(a_document(1), document)]
            )
            await transaction.outbox.bury(purge, reason="of no concern")
        assert await is_moving(inventory)
        async with unit_of_work.begin() as transaction:
            await transaction.outbox.bury(event_id, reason="dead")
        assert not await is_moving(inventory)

    async def test_chunks_are_those_of_a_generation_in_one_rendering(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        document = a_document()
        await indexed_document(unit_of_work)
        async with unit_of_work.begin() as transaction:
            anew = replace(indexed(document, a_chunk(0)), rendering_version=RENDERED_ANEW.rendering_version)
            await transaction.documents.add_rendering([anew])
        assert await inventory.chunk_ids(OLD, [document.ref]) == {"PGM_1.r1.0.g1.0", "PGM_1.r1.0.g1.1"}
        assert await inventory.chunk_ids(RENDERED_ANEW, [document.ref]) == {"PGM_1.r1.0.g1.0"}
        assert await inventory.chunk_ids(OLD, [a_document(generation=2).ref]) == frozenset()
        assert await inventory.chunk_ids(OLD, []) == frozenset()
        [stocked] = await inventory.these(RENDERED_ANEW, [document.document_id])
        assert (stocked.chunk_rows, stocked.document.state) == (1, DocumentState.INDEXED)

    async def test_uses_are_counted_beside_how_many_were_recorded(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        documents = [a_document(ordinal) for ordinal in range(3)]
        uses = tuple(uses_of([Instruction(step=0, mnemonic="MOV", operands=("D0", "D1"))], is_fx=False))
        await register(unit_of_work, *documents)
        pieces = [indexed(document, a_chunk(0, uses=uses), a_chunk(1, uses=uses)) for document in documents]
        await mark_indexed(unit_of_work, *pieces)
        async with unit_of_work.begin() as transaction:
            await transaction.uses.record([pieces[0]])
            await transaction.uses.give_up([documents[1].ref])
        stocked = await inventory.documents(OLD, after="", limit=9)
        assert [(each.use_rows, each.use_count) for each in stocked] == [(4, 4), (0, 0), (0, None)]
        async with unit_of_work.begin() as transaction:
            await transaction.documents.restart([documents[0].ref])
        (anew,) = await inventory.these(OLD, [documents[0].document_id])
        assert (anew.use_rows, anew.use_count) == (0, None)  # what is of another generation is nobody's

    async def test_the_documents_of_a_deleted_program_are_unknown(
        self, unit_of_work: UnitOfWork, inventory: Inventory
    ) -> None:
        await register(unit_of_work, a_document())
        await delete(unit_of_work)
        assert await inventory.documents(OLD, after="", limit=9) == []
        assert await inventory.these(OLD, [a_document().document_id]) == []


def ids(stocked: Sequence[StockedDocument]) -> list[str]:
    return [each.document.document_id for each in stocked]


async def indexed_document(unit_of_work: UnitOfWork) -> None:
    await register(unit_of_work, a_document())
    await mark_indexed(unit_of_work, indexed(a_document(), a_chunk(0), a_chunk(1)))


async def is_due(inventory: Inventory) -> dict[object, bool]:
    return {key: (await inventory.documents(key, after="", limit=1))[0].is_due for key in (OLD, NEW)}


async def is_moving(inventory: Inventory) -> bool:
    [stocked] = await inventory.documents(OLD, after="", limit=1)
    return stocked.is_moving
