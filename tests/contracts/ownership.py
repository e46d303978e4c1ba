"""What every Ownership promises; written through the unit of work of the same record."""

from datetime import timedelta

from contracts.further_documents import put
from contracts.outbox import SpoilEvent, TimePasses
from contracts.records import (
    a_chunk,
    a_document,
    delete,
    documents_registered,
    indexed,
    program_deleted,
    register,
)
from domain.document import DocumentRef, DocumentState, Failure
from domain.events import Event
from domain.ports.ownership import Owner, Ownership
from domain.ports.unit_of_work import UnitOfWork

AN_HOUR = timedelta(hours=1)
FAILURE = Failure(code="storage_missing", message="")


class OwnershipContract:
    """Needs the fixtures `ownership`, `unit_of_work`, `time_passes` and `spoil_event`, over one record."""

    async def test_a_document_answers_for_its_present_generation(
        self, unit_of_work: UnitOfWork, ownership: Ownership
    ) -> None:
        pending, indexing, done, failed, skipped = (a_document(ordinal, generation=2) for ordinal in range(5))
        skipped = a_document(4, generation=2, state=DocumentState.SKIPPED)
        await register(unit_of_work, pending, indexing, done, failed, skipped)
        async with unit_of_work.begin() as transaction:
            await transaction.documents.begin_indexing([indexing.ref])
            await transaction.documents.mark_indexed([indexed(done, a_chunk())])
            await transaction.documents.mark_failed([(failed.ref, FAILURE)])
        earlier, later = (DocumentRef(document_id=done.document_id, generation=number) for number in (1, 3))
        unknown = DocumentRef(document_id="PGM_9.r1.0", generation=2)
        asked = [*(each.ref for each in (pending, indexing, done, failed, skipped)), earlier, later, unknown]
        assert await ownership.of_vectors(asked) == {
            pending.ref: Owner.DOCUMENT,
            indexing.ref: Owner.DOCUMENT,
            done.ref: Owner.DOCUMENT,
            failed.ref: Owner.FAILED_DOCUMENT,
            skipped.ref: Owner.FAILED_DOCUMENT,
            earlier: Owner.OTHER_GENERATION,
            later: Owner.OTHER_GENERATION,
            unknown: Owner.NOBODY,
        }
        assert await ownership.of_vectors([]) == {}

    async def test_an_event_answers_for_what_it_names_until_it_is_done(
        self, unit_of_work: UnitOfWork, ownership: Ownership, spoil_event: SpoilEvent
    ) -> None:
        document = a_document(generation=2)
        await register(unit_of_work, document)
        old, unknown = (DocumentRef(document_id=name, generation=1) for name in (document.document_id, "PGM_9.r1.0"))
        event_id = await add(unit_of_work, documents_registered(document))
        assert set((await ownership.of_vectors([old, unknown])).values()) == {Owner.OTHER_GENERATION, Owner.NOBODY}
        await bury(unit_of_work, event_id)
        event_id = await add(
            unit_of_work, documents_registered(a_document(), a_document(0, document_id="PGM_9.r1.0"), pgm_id="PGM_9")
        )
        assert set((await ownership.of_vectors([old, unknown])).values()) == {Owner.EVENT}
        await spoil_event(event_id)
        assert Owner.EVENT not in (await ownership.of_vectors([old, unknown])).values()

    async def test_a_purge_answers_for_every_generation_of_its_program_alone(
        self, unit_of_work: UnitOfWork, ownership: Ownership
    ) -> None:
        document, neighbour = a_document(), a_document(0, pgm_id="PGM_2")
        await register(unit_of_work, document)
        await register(unit_of_work, neighbour, pgm_id="PGM_2")
        await delete(unit_of_work)
        await delete(unit_of_work, "PGM_2")
        assert set((await ownership.of_vectors([document.ref, neighbour.ref])).values()) == {Owner.NOBODY}
        event_id = await add(unit_of_work, program_deleted())
        assert await ownership.of_vectors([document.ref, neighbour.ref]) == {
            document.ref: Owner.EVENT,
            neighbour.ref: Owner.NOBODY,
        }
        await bury(unit_of_work, event_id)
        assert await ownership.of_vectors([document.ref]) == {document.ref: Owner.NOBODY}

    async def test_programs_that_are_not_purged_and_uploads_own_their_prefixes(
        self, unit_of_work: UnitOfWork, ownership: Ownership
    ) -> None:
        for number in (1, 2, 3):
            await register(unit_of_work, a_document(pgm_id=f"PGM_{number}"), pgm_id=f"PGM_{number}")
        await delete(unit_of_work, "PGM_2")
        await delete(unit_of_work, "PGM_3")
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_3")
            await transaction.uploads.begin("programs/PGM_4/r1")
        asked = ["", "programs", "programs/PGM_1", *(f"programs/PGM_{number}/r1" for number in (1, 2, 3, 4, 5))]
        await put(unit_of_work)
        asked += [
            "programs/PGM_1/d7",
            "programs/PGM_1/d8",
            "programs/PGM_1/r2",
            "elsewhere/PGM_1/r1",
            "programs/PGM_1/r1/zip",
        ]
        owned = await ownership.owned_prefixes(asked)
        assert owned == {"programs/PGM_1/d7", "programs/PGM_1/r1", "programs/PGM_2/r1", "programs/PGM_4/r1"}
        assert await ownership.owned_prefixes([]) == frozenset()

    async def test_deleted_programs_that_nothing_will_purge_are_listed(
        self, unit_of_work: UnitOfWork, ownership: Ownership
    ) -> None:
        for number in range(1, 6):
            await register(unit_of_work, pgm_id=f"PGM_{number}")
        for number in range(2, 6):
            await delete(unit_of_work, f"PGM_{number}")
        await add(unit_of_work, program_deleted("PGM_2"))
        await bury(unit_of_work, await add(unit_of_work, program_deleted("PGM_3")))
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_4")
        assert await ownership.unpurged_programs(after="", limit=9) == ["PGM_3", "PGM_5"]
        assert await ownership.unpurged_programs(after="", limit=1) == ["PGM_3"]
        assert await ownership.unpurged_programs(after="PGM_3", limit=9) == ["PGM_5"]

    async def test_only_programs_that_are_not_deleted_count(
        self, unit_of_work: UnitOfWork, ownership: Ownership
    ) -> None:
        assert not await ownership.has_programs()
        await register(unit_of_work)
        await register(unit_of_work, pgm_id="PGM_2")
        await delete(unit_of_work)
        assert await ownership.has_programs()
        await delete(unit_of_work, "PGM_2")
        assert not await ownership.has_programs()

    async def test_old_uploads_are_listed_taken_or_not(
        self, unit_of_work: UnitOfWork, ownership: Ownership, time_passes: TimePasses
    ) -> None:
        async with unit_of_work.begin() as transaction:
            await transaction.uploads.begin("programs/PGM_1/r1")
            await transaction.uploads.begin("programs/PGM_2/r1")
        await time_passes(2 * AN_HOUR)
        async with unit_of_work.begin() as transaction:
            await transaction.uploads.begin("programs/PGM_3/r1")
            await transaction.uploads.take_abandoned(older_than=AN_HOUR)
        listed = [
            list(await ownership.abandoned_uploads(older_than=AN_HOUR, after=after, limit=limit))
            for after, limit in (("", 9), ("", 1), ("programs/PGM_1/r1", 9))
        ]
        assert listed == [
            ["programs/PGM_1/r1", "programs/PGM_2/r1"],
            ["programs/PGM_1/r1"],
            ["programs/PGM_2/r1"],
        ]


async def add(unit_of_work: UnitOfWork, event: Event) -> int:
    async with unit_of_work.begin() as transaction:
        [event_id] = await transaction.outbox.add([event])
    return event_id


async def bury(unit_of_work: UnitOfWork, event_id: int) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.outbox.bury(event_id, reason="dead")
