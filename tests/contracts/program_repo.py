"""What every ProgramRepo promises."""

from dataclasses import replace

import pytest

from contracts.records import a_chunk, a_document, a_registration, delete, indexed, mark_indexed, register, rolled_back
from domain.comments import DeviceComments
from domain.document import DocumentRef
from domain.errors import ConflictError, InvalidRequestError, NotFoundError
from domain.ports.catalogue import Catalogue
from domain.ports.unit_of_work import UnitOfWork
from domain.program import DetailChanges, ProgramDetails, Registration
from domain.template import Logic, Template


class ProgramRepoContract:
    """Needs the fixtures `unit_of_work` and `catalogue`, both over one record."""

    async def test_ids_are_never_given_out_twice(self, unit_of_work: UnitOfWork) -> None:
        async with rolled_back(unit_of_work) as transaction:
            first = await transaction.programs.next_pgm_id()
        async with unit_of_work.begin() as one, unit_of_work.begin() as other:
            ids = {first, await one.programs.next_pgm_id(), await other.programs.next_pgm_id()}
        assert len(ids) == 3
        assert all(pgm_id.removeprefix("PGM_").isdecimal() for pgm_id in ids)

    async def test_ids_may_be_left_out(self, unit_of_work: UnitOfWork) -> None:
        async with unit_of_work.begin() as transaction:
            numbers = [
                int((await transaction.programs.next_pgm_id(skip=skip)).removeprefix("PGM_")) for skip in (0, 5, 0)
            ]
        assert [number - numbers[0] for number in numbers] == [0, 6, 7]

    async def test_template_and_comments_come_back_as_they_went_in(self, unit_of_work: UnitOfWork) -> None:
        registration = a_registration()
        await add(unit_of_work, registration)
        async with unit_of_work.begin() as transaction:
            assert await transaction.programs.template_of("PGM_1", 1) == registration.template
            assert await transaction.programs.comments_of("PGM_1", 1) == registration.comments

    async def test_a_program_may_have_no_template_rows_and_no_comments(self, unit_of_work: UnitOfWork) -> None:
        await add(unit_of_work, a_registration(template=Template(), comments=DeviceComments()))
        async with unit_of_work.begin() as transaction:
            assert await transaction.programs.template_of("PGM_1", 1) == Template()
            assert await transaction.programs.comments_of("PGM_1", 1) == DeviceComments()

    async def test_ten_thousand_comments_are_recorded_at_once(self, unit_of_work: UnitOfWork) -> None:
        comments = DeviceComments(by_device={f"D{number}": f"센서 {number}" for number in range(10_000)})
        await add(unit_of_work, a_registration(comments=comments))
        async with unit_of_work.begin() as transaction:
            assert await transaction.programs.comments_of("PGM_1", 1) == comments

    async def test_an_amendment_changes_what_it_names_alone(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        before = (await catalogue.program("PGM_1")).program
        async with unit_of_work.begin() as transaction:
            amended = await transaction.programs.amend(
                "PGM_1", DetailChanges(pgm_name="새 이름", notes=""), seen=before
            )
        assert amended == (await catalogue.program("PGM_1")).program
        assert amended.details == replace(before.details, pgm_name="새 이름", notes="")
        assert amended == replace(before, details=amended.details, update_dt=amended.update_dt)

    async def test_an_amendment_of_what_is_another_by_now_changes_nothing(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work)
        seen = (await catalogue.program("PGM_1")).program
        async with unit_of_work.begin() as transaction:
            await transaction.programs.amend("PGM_1", DetailChanges(pgm_version="2"))
        with pytest.raises(ConflictError):
            async with unit_of_work.begin() as transaction:
                await transaction.programs.amend("PGM_1", DetailChanges(pgm_name="늦은 이름"), seen=seen)
        found = (await catalogue.program("PGM_1")).program.details
        assert (found.pgm_name, found.pgm_version) == (seen.details.pgm_name, "2")

    async def test_what_is_not_there_is_not_amended(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        await delete(unit_of_work)
        with pytest.raises(NotFoundError):
            async with unit_of_work.begin() as transaction:
                await transaction.programs.amend("PGM_1", DetailChanges(notes="x"), seen=a_registration().program)

    async def test_the_longest_cells_are_kept(self, unit_of_work: UnitOfWork) -> None:
        longest = "".join(chr(0xAC00 + number * 7919 % 11_172) for number in range(32_767))
        logic = Logic(
            row=2,
            folder_id=longest,
            folder_name=longest,
            sub_folder_name=longest,
            logic_id=longest,
            logic_name=longest,
        )
        comments = DeviceComments(by_device={longest: longest})
        await add(unit_of_work, a_registration(template=Template(logics=(logic,)), comments=comments))
        async with unit_of_work.begin() as transaction:
            assert await transaction.programs.comments_of("PGM_1", 1) == comments

    async def test_a_program_is_recorded_once(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        with pytest.raises(ConflictError):
            await register(unit_of_work)

    @pytest.mark.parametrize("text", ["압력\0센서", "압력\ud800센서"])
    async def test_text_that_cannot_be_kept_is_refused(self, unit_of_work: UnitOfWork, text: str) -> None:
        registration = a_registration()
        program = replace(registration.program, details=ProgramDetails(pgm_name=text, create_user="u"))
        with pytest.raises(InvalidRequestError) as caught:
            await add(unit_of_work, replace(registration, program=program))
        assert caught.value.code == "text_invalid"

    async def test_a_registration_that_rolls_back_leaves_nothing(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        async with rolled_back(unit_of_work) as transaction:
            await transaction.programs.add(a_registration())
            await transaction.documents.add([a_document()])
        assert (await catalogue.programs(limit=10)).items == ()
        with pytest.raises(NotFoundError):
            await catalogue.document(a_document().document_id)
        await register(unit_of_work, a_document())

    async def test_an_unknown_program_is_not_found(self, unit_of_work: UnitOfWork) -> None:
        async with unit_of_work.begin() as transaction:
            with pytest.raises(NotFoundError):
                await transaction.programs.template_of("PGM_1", 1)
            with pytest.raises(NotFoundError):
                await transaction.programs.comments_of("PGM_1", 1)
            with pytest.raises(NotFoundError):
                await transaction.programs.delete("PGM_1")

    async def test_a_deleted_program_is_unknown(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document())
        await delete(unit_of_work)
        async with unit_of_work.begin() as transaction:
            with pytest.raises(NotFoundError):
                await transaction.programs.template_of("PGM_1", 1)
            with pytest.raises(NotFoundError):
                await transaction.programs.comments_of("PGM_1", 1)
            with pytest.raises(NotFoundError):
                await transaction.programs.delete("PGM_1")

    async def test_a_delete_that_rolls_back_deletes_nothing(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document())
        async with rolled_back(unit_of_work) as transaction:
            await transaction.programs.delete("PGM_1")
        assert await catalogue.document(a_document().document_id) == a_document()

    async def test_a_purge_may_be_repeated_and_leaves_its_neighbours(
        self, unit_of_work: UnitOfWork, catalogue: Catalogue
    ) -> None:
        await register(unit_of_work, a_document(), pgm_id="PGM_1")
        neighbour = a_document(pgm_id="PGM_2")
        await register(unit_of_work, neighbour, pgm_id="PGM_2")
        await mark_indexed(unit_of_work, indexed(a_document(), a_chunk()), indexed(neighbour, a_chunk()))
        await delete(unit_of_work, "PGM_1")
        for _ in range(2):
            async with unit_of_work.begin() as transaction:
                await transaction.programs.purge("PGM_1")
        assert len(await catalogue.visible_chunks(["PGM_1.r1.0.g1.0", "PGM_2.r1.0.g1.0"])) == 1
        assert (await catalogue.programs(limit=10)).items == (await catalogue.program("PGM_2"),)

    async def test_a_purged_program_leaves_a_tombstone(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work, a_document())
        await delete(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")
        with pytest.raises(ConflictError):
            await register(unit_of_work)

    async def test_a_program_is_gone_for_ever_and_not_before(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        known: list[bool] = []
        async with unit_of_work.begin() as transaction:
            known += [await transaction.programs.is_gone(pgm_id, 1) for pgm_id in ("PGM_1", "PGM_404")]
            await transaction.programs.delete("PGM_1")
            known.append(await transaction.programs.is_gone("PGM_1", 1))
            await transaction.programs.purge("PGM_1")
            known.append(await transaction.programs.is_gone("PGM_1", 1))
        assert known == [False, False, True, True]

    async def test_a_live_program_is_not_purged(self, unit_of_work: UnitOfWork, catalogue: Catalogue) -> None:
        await register(unit_of_work, a_document())
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")
            await transaction.programs.purge("PGM_404")
            ref = DocumentRef(document_id=a_document().document_id, generation=1)
            assert await transaction.documents.current([ref]) == {ref}
        assert await catalogue.document(a_document().document_id) == a_document()


async def add(unit_of_work: UnitOfWork, registration: Registration) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.programs.add(registration)
