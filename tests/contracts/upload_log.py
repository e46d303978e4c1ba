"""What every UploadLog promises."""

from datetime import timedelta

import pytest

from contracts.outbox import TimePasses
from contracts.records import delete, register, rolled_back
from domain.errors import ConflictError
from domain.ports.unit_of_work import UnitOfWork

PREFIX = "programs/PGM_1/r1"
AN_HOUR = timedelta(hours=1)


class UploadLogContract:
    """Needs the fixtures `unit_of_work` and `time_passes`."""

    async def test_an_upload_under_way_is_not_abandoned(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await begin(unit_of_work)
        await time_passes(timedelta(minutes=59))
        assert await take(unit_of_work) == []
        await finish(unit_of_work)

    async def test_a_finished_upload_is_forgotten(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        await begin(unit_of_work)
        await finish(unit_of_work)
        await time_passes(2 * AN_HOUR)
        assert await take(unit_of_work) == []
        with pytest.raises(ConflictError):
            await finish(unit_of_work)

    async def test_a_crashed_upload_is_taken_over(self, unit_of_work: UnitOfWork, time_passes: TimePasses) -> None:
        await begin(unit_of_work)
        await time_passes(2 * AN_HOUR)
        await begin(unit_of_work, "programs/PGM_2/r1")
        assert await take(unit_of_work) == [PREFIX]

    async def test_an_uploader_cannot_finish_what_was_taken(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await begin(unit_of_work)
        await time_passes(2 * AN_HOUR)
        await take(unit_of_work)
        with pytest.raises(ConflictError):
            await finish(unit_of_work)

    async def test_what_was_taken_is_returned_until_it_is_forgotten(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await begin(unit_of_work)
        await time_passes(2 * AN_HOUR)
        assert await take(unit_of_work) == await take(unit_of_work) == [PREFIX]
        await forget(unit_of_work)
        assert await take(unit_of_work) == []

    async def test_forgetting_does_not_end_an_upload_under_way(self, unit_of_work: UnitOfWork) -> None:
        await begin(unit_of_work)
        await forget(unit_of_work)
        await finish(unit_of_work)

    async def test_a_prefix_that_nobody_owns_can_be_taken_and_no_upload_begins_there_meanwhile(
        self, unit_of_work: UnitOfWork
    ) -> None:
        assert await take_unowned(unit_of_work)
        assert not await take_unowned(unit_of_work)
        with pytest.raises(ConflictError):
            await begin(unit_of_work)
        await forget(unit_of_work)
        await begin(unit_of_work)

    async def test_what_was_taken_and_never_forgotten_is_swept_like_an_abandoned_upload(
        self, unit_of_work: UnitOfWork, time_passes: TimePasses
    ) -> None:
        await take_unowned(unit_of_work)
        await time_passes(2 * AN_HOUR)
        assert await take(unit_of_work) == [PREFIX]

    async def test_the_prefix_of_an_upload_under_way_or_of_a_program_is_not_taken(
        self, unit_of_work: UnitOfWork
    ) -> None:
        await begin(unit_of_work)
        assert not await take_unowned(unit_of_work)
        await finish(unit_of_work)
        await register(unit_of_work)
        assert not await take_unowned(unit_of_work)
        await delete(unit_of_work)
        assert not await take_unowned(unit_of_work)
        async with unit_of_work.begin() as transaction:
            await transaction.programs.purge("PGM_1")
        assert await take_unowned(unit_of_work)

    async def test_a_revision_that_a_program_does_not_have_is_nobodys(self, unit_of_work: UnitOfWork) -> None:
        await register(unit_of_work)
        async with unit_of_work.begin() as transaction:
            assert await transaction.uploads.take_unowned("programs/PGM_1/r2")

    async def test_a_prefix_is_used_by_one_upload(self, unit_of_work: UnitOfWork) -> None:
        await begin(unit_of_work)
        with pytest.raises(ConflictError):
            await begin(unit_of_work)

    async def test_a_finish_that_rolls_back_leaves_the_upload_under_way(self, unit_of_work: UnitOfWork) -> None:
        await begin(unit_of_work)
        async with rolled_back(unit_of_work) as transaction:
            await transaction.uploads.finish(PREFIX)
        await finish(unit_of_work)


async def begin(unit_of_work: UnitOfWork, prefix: str = PREFIX) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.uploads.begin(prefix)


async def finish(unit_of_work: UnitOfWork) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.uploads.finish(PREFIX)


async def take_unowned(unit_of_work: UnitOfWork) -> bool:
    async with unit_of_work.begin() as transaction:
        return await transaction.uploads.take_unowned(PREFIX)


async def take(unit_of_work: UnitOfWork) -> list[str]:
    async with unit_of_work.begin() as transaction:
        return list(await transaction.uploads.take_abandoned(older_than=AN_HOUR))


async def forget(unit_of_work: UnitOfWork) -> None:
    async with unit_of_work.begin() as transaction:
        await transaction.uploads.forget(PREFIX)
